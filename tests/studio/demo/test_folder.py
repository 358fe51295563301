from __future__ import annotations

import stat

import pytest

from monai_unlearn.errors import InputError
from monai_unlearn.studio.demo.folder import MARK, DemoFolder


def test_a_new_folder_is_for_its_owner_alone_and_is_known_again(tmp_path):
    folder = DemoFolder(tmp_path / "new" / "demo")
    folder.claim()
    assert stat.S_IMODE(folder.root.stat().st_mode) == 0o700
    before = (folder.root / MARK).read_bytes()
    (folder.root / "more").touch()
    folder.claim()
    assert (folder.root / MARK).read_bytes() == before


def test_an_empty_folder_can_be_used(tmp_path):
    DemoFolder(tmp_path).claim()
    assert (tmp_path / MARK).is_file()


@pytest.mark.parametrize("content", ["folder", "file"])
def test_something_else_is_refused_and_nothing_is_changed(tmp_path, content):
    root = tmp_path / "else"
    if content == "folder":
        root.mkdir()
        (root / "patients.csv").write_text("x", encoding="utf-8")
    else:
        root.write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="found something else"):
        DemoFolder(root).claim()
    assert [path.name for path in tmp_path.rglob("*")] in (["else", "patients.csv"], ["else"])


@pytest.mark.parametrize("text", ["[]", "{", '{"what": "my notes", "schema_version": 1}', '{"schema_version": 1}'])
def test_a_mark_that_says_something_else_is_refused(tmp_path, text):
    (tmp_path / MARK).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="is not of a demo of this version"):
        DemoFolder(tmp_path).claim()
    assert (tmp_path / MARK).read_text(encoding="utf-8") == text


def test_a_visitor_shares_what_takes_long_and_nothing_else(tmp_path):
    demo, visitor = DemoFolder(tmp_path / "demo"), DemoFolder(tmp_path / "visitor", shared=tmp_path / "demo")
    assert (visitor.studies, visitor.index, visitor.bundle) == (demo.studies, demo.index, demo.bundle)
    for own in (visitor.work, visitor.store, visitor.keys):
        assert own.is_relative_to(tmp_path / "visitor")
