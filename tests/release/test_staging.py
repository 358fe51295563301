from __future__ import annotations

import json

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.release import remove_unfinished, staged, write_json


def test_a_folder_appears_whole(tmp_path):
    with staged(tmp_path / "deep" / "out") as folder:
        (folder / "a").write_text("1")
        assert not (tmp_path / "deep" / "out").exists()
    assert (tmp_path / "deep" / "out" / "a").read_text() == "1"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failed_block_leaves_nothing(tmp_path, error):
    with pytest.raises(error, match="half way"), staged(tmp_path / "out") as folder:
        (folder / "a").write_text("1")
        raise error("half way")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_may_stand_there(tmp_path):
    (tmp_path / "out").mkdir()
    with staged(tmp_path / "out") as folder:
        (folder / "a").write_text("1")
    assert (tmp_path / "out" / "a").exists()


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_stands_there_is_never_overwritten(tmp_path, kind):
    target = tmp_path / "out"
    if kind == "folder":
        target.mkdir()
        (target / "mine").write_text("precious")
    else:
        target.write_text("precious")
    with pytest.raises(ConfigError, match="output_dir .*out is not empty"), staged(target):
        pytest.fail("the block must not run")
    assert (target / "mine" if kind == "folder" else target).read_text() == "precious"


def test_json_holds_no_nan(tmp_path):
    write_json(tmp_path / "a.json", {"ä": 1})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"ä": 1}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "b.json", {"a": float("nan")})


def test_what_killed_runs_left_is_removed_and_nothing_else(tmp_path):
    for name in (".out.partial-a1", ".out.partial-b2", ".outer.partial-c3", "out.partial-d4"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "half").write_text("1")
    remove_unfinished(tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".outer.partial-c3", "out.partial-d4"]
