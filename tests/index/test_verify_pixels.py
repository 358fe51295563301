from __future__ import annotations

import os

import pytest
from swaps import swap

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index import write_index
from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.index.scan.options import ScanOptions
from monai_unlearn.index.verify_pixels import BadImage, verify_pixels


@pytest.fixture
def index(tmp_path, make_dicom):
    for number in range(6):
        make_dicom(tmp_path / "images" / f"{number}.dcm", number)
    (tmp_path / "images" / "words.dcm").write_text("words", encoding="utf-8")
    request = BuildRequest(
        sources=(tmp_path / "images",), out=tmp_path / "index", scan=ScanOptions(pixel_digest=True, workers=1)
    )
    return build(request, track=iter).index


def bad(index):
    """The problem of each bad image, by the name of its file."""
    frame = index.frame()
    names = dict(zip(frame["image_id"], frame["path"].str.rpartition("/")[2], strict=True))
    return {names[image.image_id]: image.problem for image in verify_pixels(index).bad}


def test_images_that_are_as_they_were_indexed(index, tmp_path):
    told = []
    found = verify_pixels(index, progress=lambda *numbers: told.append(numbers))
    size = sum(path.stat().st_size for path in (tmp_path / "images").glob("[0-9].dcm"))
    assert (found.images, found.without, found.hashed, found.bad) == (6, 0, size, ())
    assert told == [(6, 6)]
    document = found.document()
    assert document.pop("seconds") >= 0
    assert document == {"images": 6, "without_digest": 0, "bytes_hashed": size, "bad": []}


def test_each_bad_image_is_named(index, tmp_path):
    paths = [str(tmp_path / "images" / f"{number}.dcm") for number in range(6)]
    swap(paths[0], paths[1])
    swap(paths[2], paths[3], keep_times=False)
    os.utime(paths[4], ns=(5, 5))
    (tmp_path / "images" / "5.dcm").unlink()
    problems = {
        **dict.fromkeys(("0.dcm", "1.dcm", "2.dcm", "3.dcm"), "pixels"),
        "4.dcm": "size_or_time",
        "5.dcm": "missing",
    }
    assert bad(index) == problems
    first = verify_pixels(index).bad[0]
    assert first == BadImage(index.frame()["image_id"][0], "pixels")
    assert verify_pixels(index).document()["bad"][0] == {"image_id": first.image_id, "problem": "pixels"}


def test_images_whose_pixels_could_not_be_read_are_counted(make_dicom, tmp_path):
    make_dicom(tmp_path / "images" / "a.dcm", 1)
    make_dicom(tmp_path / "images" / "b.dcm", 2)
    scan = ScanOptions(pixel_digest=True, workers=1)
    index = build(BuildRequest(sources=(tmp_path / "images",), out=tmp_path / "index", scan=scan), track=iter).index
    frame = index.frame()
    frame["pixel_digest"] = [None, frame["pixel_digest"][1]]
    kinds = {name: kind for name, kind in index.columns.items() if name == "pixel_digest"}
    less = write_index(frame[["image_id", "path", "pixel_digest"]], tmp_path / "less", kinds=kinds)
    found = verify_pixels(less)
    assert (found.images, found.without, found.bad) == (2, 1, ())


def test_an_index_without_digests_is_refused(make_dicom, tmp_path):
    make_dicom(tmp_path / "images" / "a.dcm", 1)
    index = build(BuildRequest(sources=(tmp_path / "images",), out=tmp_path / "index"), track=iter).index
    with pytest.raises(IndexReadError, match=r"expected the column pixel_digest, found none: .* --pixel-digest$"):
        verify_pixels(index)
