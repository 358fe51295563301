from __future__ import annotations

import os

import pytest

from monai_unlearn.cache_folder import PREFIX, shared_folder
from monai_unlearn.experiments import sharing as module
from monai_unlearn.experiments.experiment import owned_folder
from monai_unlearn.experiments.sharing import shared_environment, sharing
from monai_unlearn.vocabulary.run_folder import SHARED_FOLDER


def named():
    return shared_environment()[SHARED_FOLDER]


def folders(place):
    return [path for path in place.iterdir() if path.name.startswith(PREFIX)]


def test_runs_are_told_a_folder_for_this_user_alone(tmp_path, monkeypatch):
    assert shared_environment() == {}
    with sharing(tmp_path, {}):
        assert folders(tmp_path) == [path := tmp_path / os.path.basename(named())]  # noqa: PTH119 - it is a text
        monkeypatch.setenv(SHARED_FOLDER, named())
        assert shared_folder() == path
        with sharing(tmp_path / "within", {}):  # the outer one goes on
            assert folders(tmp_path) == [path]
    assert shared_environment() == {}
    assert folders(tmp_path) == []
    assert shared_folder() is None


def test_it_is_removed_after_an_interruption(tmp_path):
    with pytest.raises(KeyboardInterrupt, match="stop"), sharing(tmp_path, {}):
        raise KeyboardInterrupt("stop")
    assert folders(tmp_path) == []
    assert shared_environment() == {}


def test_what_a_killed_experiment_left_is_removed_by_the_next(tmp_path):
    left = tmp_path / f"{PREFIX}left"
    left.mkdir()
    (left / "eye").write_bytes(b"eye")
    with sharing(tmp_path, {}):
        assert not left.exists()


@pytest.mark.parametrize(("setting", "place"), [("scratch", "scratch"), ("null", "out")])
def test_the_place_that_the_user_names_is_used(tmp_path, monkeypatch, setting, place):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    with sharing(tmp_path / "out", {module.CACHE_DIR: setting}):
        assert len(folders(tmp_path / place)) == 1


def test_where_none_can_be_made_runs_go_on_without(tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "metadata.json").write_text("{}")  # a bundle, which is passed on
    with sharing(tmp_path, {}):
        assert shared_environment() == {}


def test_an_experiment_has_one_and_removes_it(tmp_path):
    with owned_folder(tmp_path / "out", what="rehearsal", readme="x"):
        assert len(folders(tmp_path / "out")) == 1
    assert folders(tmp_path / "out") == []
