from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from monai_unlearn.errors import InputError
from monai_unlearn.staging import (
    check_free,
    check_writable,
    remove_unfinished,
    staged,
    staged_file,
    write_json,
    write_text,
)


@pytest.mark.parametrize("place", ["new", "empty", "a/b/c"])
def test_a_folder_appears_whole(tmp_path, place):
    (tmp_path / "empty").mkdir()
    with staged(tmp_path / place) as folder:
        (folder / "a").write_text("1")
        assert not (tmp_path / place / "a").exists()
    assert (tmp_path / place / "a").read_text() == "1"
    assert not [path for path in (tmp_path / place).parent.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_nothing(tmp_path, error):
    with pytest.raises(error, match="half way"), staged(tmp_path / "out") as folder:
        (folder / "a").write_text("1")
        raise error("half way")
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_an_empty_folder_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with staged(tmp_path / "link") as folder:
        (folder / "a").write_text("1")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "a").read_text() == "1"


def test_the_folder_is_as_readable_as_any_other(tmp_path):
    (tmp_path / "other").mkdir()
    with staged(tmp_path / "out"):
        pass
    assert len({stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("other", "out")}) == 1


@pytest.mark.parametrize(("kind", "found"), [("folder", "a folder that is not empty"), ("file", "a file")])
def test_nothing_is_ever_overwritten(tmp_path, kind, found):
    target = tmp_path / "out"
    kept = target / "mine" if kind == "folder" else target
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("precious")
    message = rf"out: expected a new or empty folder, found {found}\. Choose another; nothing was changed\.$"
    with pytest.raises(InputError, match=message):
        check_free(target)
    with pytest.raises(InputError, match=message), staged(target):
        pytest.fail("the block must not run")
    assert kept.read_text() == "precious"


def test_a_file_is_replaced_in_one_step_under_its_own_name(tmp_path):
    target = tmp_path / "folder" / "model.ts"
    with staged_file(target) as aside:
        assert aside.name == target.name
        aside.write_text("old")
    with staged_file(target) as aside:
        aside.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


def test_a_file_may_have_another_name_while_it_is_written(tmp_path):
    with staged_file(tmp_path / "model.pt", name="weights") as aside:
        assert aside.name == "weights"
        aside.write_text("1")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("model.pt", "1")]


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(RuntimeError, match="half way"), staged_file(tmp_path / "a") as aside:
        aside.write_text("ne")
        raise RuntimeError("half way")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a", "old")]


def test_a_place_that_cannot_be_written_is_refused_and_nothing_is_left(tmp_path):
    check_writable(tmp_path / "new" / "deeper")
    check_writable(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    for place in ("file", "file/new"):
        with pytest.raises(
            InputError, match=r"expected a folder that can be written, but nothing can be made in .*file"
        ):
            check_writable(tmp_path / place)
    with pytest.raises(InputError, match="nothing can be made in /proc"):
        check_writable(Path("/proc/new"))


def test_text_has_unix_line_ends(tmp_path):
    write_text(tmp_path / "a.md", "ä\nb\n")
    assert (tmp_path / "a.md").read_bytes() == "ä\nb\n".encode()


def test_json_is_readable_and_holds_no_nan(tmp_path):
    write_json(tmp_path / "a.json", {"ä": 1})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "ä": 1\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"a": float("nan")})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"ä": 1}


def test_remove_unfinished_removes_what_killed_runs_left_and_nothing_else(tmp_path):
    for name in (".out.partial-a1", ".out.partial-b2", ".outer.partial-c3", "out.partial-d4"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "half").write_text("1")
    remove_unfinished(tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".outer.partial-c3", "out.partial-d4"]
