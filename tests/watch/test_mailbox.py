from __future__ import annotations

import os

import pytest

from monai_unlearn.errors import InputError
from monai_unlearn.watch import mailbox as module
from monai_unlearn.watch.mailbox import Unreadable, Unsettled, opened


@pytest.fixture
def box(tmp_path):
    def open_with(**files):
        for name, text in files.items():
            (tmp_path / name.replace("_", ".")).write_text(text, encoding="utf-8")
        return opened(tmp_path, settle=0.0)

    return open_with


def test_a_plain_file_is_read_with_its_owner(box, tmp_path):
    with box(a_txt="x") as found:
        letter = found.read("a.txt")
    assert (letter.content, letter.owner, letter.others_write) == (b"x", os.getuid(), False)
    (tmp_path / "a.txt").chmod(0o646)
    with box() as found:
        assert found.read("a.txt").others_write


def test_in_a_folder_for_all_others_rename_a_file(box, tmp_path):
    for mode, others_write in ((0o775, True), (0o1777, False)):
        tmp_path.chmod(mode)
        with box(a_txt="x") as found:
            assert found.read("a.txt").others_write is others_write


def test_what_is_no_plain_file_is_refused(box, tmp_path):
    (tmp_path / "aside").mkdir()
    (tmp_path / "a.txt").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "b.txt")
    with box(c_txt="x") as found:
        for name, why in (("a.txt", "a link"), ("b.txt", "a FIFO"), ("aside", "a folder")):
            with pytest.raises(Unreadable, match=why):
                found.read(name)
        for name in ("../c.txt", "sub/c.txt", "", ".c.txt", "c\n.txt", "ü.txt", "x" * 101):
            with pytest.raises(Unreadable, match="its name has other characters"):
                found.read(name)
    os.link(tmp_path / "c.txt", tmp_path / "d.txt")
    with box() as found, pytest.raises(Unreadable, match="several names"):
        found.read("d.txt")


def test_a_link_that_takes_the_place_of_a_file_is_not_followed(box, tmp_path):
    with box(a_txt="x") as found:
        (tmp_path / "a.txt").unlink()
        (tmp_path / "a.txt").symlink_to("/etc/passwd")
        with pytest.raises(Unreadable, match="cannot be opened"):
            found.read("a.txt")


def test_a_large_file_is_not_read(box, monkeypatch):
    with box(a_txt="x" * 5) as found, pytest.raises(Unreadable, match="larger than 0 MiB"):
        found.read("a.txt", max_bytes=4)


def test_a_file_that_changes_is_looked_at_later(box, tmp_path):
    with box(a_txt="x") as found:
        (tmp_path / "a.txt").write_text("xy")
        with pytest.raises(Unsettled):
            found.read("a.txt")
        with pytest.raises(Unsettled):
            found.read("gone.txt")


def test_a_young_file_is_waited_for(box, tmp_path, monkeypatch):
    waited = []
    monkeypatch.setattr(module.time, "sleep", waited.append)
    (tmp_path / "a.txt").write_text("x")
    with opened(tmp_path, settle=60.0):
        pass
    assert len(waited) == 1
    assert 0 < waited[0] <= 60
    os.utime(tmp_path / "a.txt", (0, 0))
    with opened(tmp_path, settle=60.0):
        assert len(waited) == 1


def test_names_come_by_owner_and_time_without_hidden_ones(box, tmp_path):
    with box(b_txt="x", a_txt="x", _hidden="x") as found:
        assert found.names(owners=frozenset()) == ["b.txt", "a.txt"]
    os.utime(tmp_path / "a.txt", (1, 1))
    with box() as found:
        assert found.names(owners=frozenset({os.getuid()})) == ["a.txt", "b.txt"]


def test_only_so_many_names_are_listed(box, monkeypatch):
    monkeypatch.setattr(module, "MAX_ENTRIES", 1)
    with box(a_txt="x", b_txt="x") as found:
        assert (len(found.listed), found.is_whole) == (1, False)


def test_without_a_folder(tmp_path):
    with pytest.raises(InputError, match="--inbox .*: expected a folder"), opened(tmp_path / "none"):
        pass
