from __future__ import annotations

import os
from pathlib import Path

import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.listing import Walk, list_files, looks_like_image


def _write(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_folders_are_walked_in_order_without_hidden_files(tmp_path):
    _write(tmp_path, "b/2", "b/1", "a/x.dcm", ".hidden", ".git/x.dcm", "c")
    files = list_files([tmp_path]).files
    assert [file.relative for file in files] == ["a/x.dcm", "b/1", "b/2", "c"]
    assert files[0].path == (tmp_path / "a/x.dcm").as_posix()
    assert files[0].size == 1
    assert not files[0].named


def test_linked_folders_are_not_followed_but_linked_files_are_read(tmp_path):
    _write(tmp_path, "data/x")
    (tmp_path / "data/loop").symlink_to(tmp_path / "data", target_is_directory=True)
    (tmp_path / "data/y").symlink_to(tmp_path / "data/x")
    (tmp_path / "data/z").symlink_to(tmp_path / "nowhere")
    files = list_files([tmp_path / "data"]).files
    assert [(file.relative, file.fault) for file in files] == [("x", None), ("y", None), ("z", Fault.UNREADABLE)]


def test_file_in_two_sources_is_listed_once(tmp_path):
    _write(tmp_path, "a/b/x", "a/y")
    files = list_files([tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / ".." / "a" / "y"]).files
    assert [(file.relative, file.named) for file in files] == [("b/x", False), ("y", False)]


def test_file_that_the_user_named_is_marked(tmp_path):
    _write(tmp_path, "x")
    assert [(file.relative, file.named) for file in list_files([tmp_path / "x"]).files] == [("x", True)]


def test_files_to_leave_out_are_not_listed_through_links_either(tmp_path):
    _write(tmp_path, "labels.csv", "index/index.json", "x", "other/labels.csv")
    (tmp_path / "link.csv").symlink_to(tmp_path / "labels.csv")
    files = list_files([tmp_path], leave_out=[tmp_path / "link.csv", tmp_path / "other" / ".." / "index"]).files
    assert [file.relative for file in files] == ["other/labels.csv", "x"]


def test_missing_source_is_an_error(tmp_path):
    with pytest.raises(IndexReadError, match="absent: expected a file or folder of images, but nothing is there"):
        list_files([tmp_path, tmp_path / "absent"])


def test_pipe_is_skipped(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    listing = list_files([tmp_path])
    assert (listing.files, listing.skipped) == ((), 1)


def test_name_that_is_not_unicode_is_a_fault(tmp_path):
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    Path(os.fsdecode(folder)).write_bytes(b"x")
    (file,) = list_files([tmp_path]).files
    assert file.fault is Fault.PATH_NOT_UNICODE
    assert file.path.endswith("caf\\xe9")
    assert file.relative == "caf\\xe9"


def test_unreadable_folder_and_file_have_a_row(tmp_path, monkeypatch):
    _write(tmp_path, "open/x", "closed/y")
    walk, look = os.scandir, os.stat

    def refuse_folder(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return walk(path)

    def refuse_file(path: str, **options: bool) -> os.stat_result:
        if str(path).endswith("x"):
            raise PermissionError(13, "Permission denied", str(path))
        return look(path, **options)

    monkeypatch.setattr(os, "scandir", refuse_folder)
    monkeypatch.setattr(os, "stat", refuse_file)
    files = list_files([tmp_path]).files
    assert [(file.relative, file.fault) for file in files] == [
        ("closed", Fault.PERMISSION_DENIED),
        ("open/x", Fault.PERMISSION_DENIED),
    ]


def test_files_are_sorted_by_path_even_next_to_folders_with_similar_names(tmp_path):
    names = ["a-b/x", "a.b", "a/b/x", "a/b.x", "a/b0", "a0/x", "ä/x"]
    _write(tmp_path, *names)
    paths = [file.path for file in Walk([tmp_path])]
    assert len(paths) == len(names)
    assert paths == sorted(paths)


def test_walk_of_overlapping_sources_lists_each_file_once_from_the_first(tmp_path):
    _write(tmp_path, "a/x", "a/y", "b/z")
    files = list(Walk([tmp_path / "a", tmp_path, tmp_path / "a" / "y"]))
    assert [file.relative for file in files] == ["x", "y", "b/z"]


def test_link_to_itself_is_a_fault(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (file,) = Walk([tmp_path])
    assert (file.relative, file.fault) == ("loop", Fault.SYMLINK_LOOP)


@pytest.mark.parametrize(
    "name", ["a/IM0001", "a/x.DCM", "a/x.jpeg", "a/1.2.840.113619.2", "a/IM.001", "a/x.", "x.nii", "x.NII.gz"]
)
def test_names_of_images(name):
    assert looks_like_image(name)


@pytest.mark.parametrize("name", ["a/x.csv", "a/DICOMDIR", "a/readme", "a/LICENSE", "a.dcm/notes.txt", "x.csv.gz"])
def test_names_of_other_files(name):
    assert not looks_like_image(name)
