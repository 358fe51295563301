from __future__ import annotations

import pytest
from played_rehearsal import PlayedRehearsal

from monai_unlearn.errors import ConfigError, DataError, InputError
from monai_unlearn.experiments import experiment as module
from monai_unlearn.experiments.comparison_plan import ComparisonPlan
from monai_unlearn.experiments.draw import given_cohort
from monai_unlearn.experiments.experiment import Experiment, owned_folder


def test_a_folder_is_known_by_what_its_readme_says(tmp_path):
    out = tmp_path / "out"
    for _ in range(2):
        with owned_folder(out, what="rehearsal", readme="# A rehearsal\n"):
            assert (out.stat().st_mode & 0o777) == 0o700
    with (
        pytest.raises(ConfigError, match="or that of an earlier comparison"),
        owned_folder(out, what="comparison", readme="# A comparison\n"),
    ):
        pytest.fail("it was opened")


def test_nobody_else_writes_there_meanwhile(tmp_path):
    with (
        owned_folder(tmp_path / "out", what="rehearsal", readme="x"),
        pytest.raises(ConfigError, match="another rehearsal is writing there"),
        owned_folder(tmp_path / "out", what="rehearsal", readme="x"),
    ):
        pytest.fail("it was opened twice")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    file = tmp_path / "file"
    file.touch()
    for out in (file / "out", file / "deeper" / "out"):
        with (
            pytest.raises(InputError, match="expected a folder that can be written"),
            owned_folder(out, what="rehearsal", readme="x"),
        ):
            pytest.fail("it was opened")


def refuse_in(out, *, prepare=lambda: None):
    with (
        pytest.raises(DataError, match="no such cohort"),
        owned_folder(out, what="rehearsal", readme="x"),
    ):
        prepare()
        raise DataError("no such cohort")


def test_what_is_refused_before_the_first_run_leaves_no_folder(tmp_path):
    out = tmp_path / "out"
    refuse_in(out, prepare=(out / "specs").mkdir)
    assert list(tmp_path.iterdir()) == []


def test_what_is_refused_later_or_in_a_folder_that_was_there_loses_nothing(tmp_path):
    ran, earlier = tmp_path / "ran", tmp_path / "earlier"
    refuse_in(ran, prepare=(ran / "cohorts").mkdir)
    earlier.mkdir()
    refuse_in(earlier)
    assert [sorted(path.name for path in out.iterdir()) for out in (ran, earlier)] == [
        ["README.md", "cohorts"],
        ["README.md"],
    ]


@pytest.fixture
def made(tmp_path, monkeypatch):
    spaces = {"reset": {"method::depth": ["head"], "training::rate_factor": [1.0, 2.0]}}
    monkeypatch.setattr(module, "search_spaces", lambda names, **_: {name: spaces[name] for name in names})
    played = PlayedRehearsal(tmp_path, monkeypatch)
    said = []

    def make(**fixed):
        plan = ComparisonPlan(
            config=played.config, index=played.index, specs=[played.spec], methods=["reset"], fixed=fixed
        )
        return Experiment(plan=plan, out=played.out, progress=lambda *found: said.append(found))

    return played, make, said


def test_what_the_user_fixes_is_not_tried(made):
    _, make, _ = made
    assert make().spaces() == {"reset": {"method::depth": ["head"], "training::rate_factor": [1.0, 2.0]}}
    assert make(**{"training::rate_factor": "1"}).spaces() == {"reset": {"method::depth": ["head"]}}


def test_progress_counts_what_is_done(made):
    _, make, said = made
    experiment = make()
    experiment.going_on("reset on a")
    experiment.one_done("reset on a")
    assert said == [("reset on a", 0, 0), ("reset on a", 1, 0)]


def test_a_cohort_without_validation_images_is_refused(made):
    played, make, _ = made
    experiment = make(**{"split::validation_fraction": "0"})
    with pytest.raises(DataError, match="no validation image"):
        experiment.require_validation(given_cohort(played.spec, experiment.index))
