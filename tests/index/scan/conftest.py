"""A small archive, and builds of its index."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pydicom
import pytest
from index_files import write_copies
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless

from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.index.scan.options import ScanOptions

if TYPE_CHECKING:
    from pathlib import Path

UID = "2.25.100000000000000000000"


@pytest.fixture
def images(tmp_path, make_dicom, make_image):
    folder = tmp_path / "images"
    write_copies(folder, make_dicom(tmp_path / "original", SOPInstanceUID=UID), UID, 40)
    shutil.copy(folder / "0000" / "00001.dcm", folder / "0002" / "copy.dcm")
    make_image(folder / "plain.png")
    (folder / "0001" / "words.dcm").write_text("words", encoding="utf-8")
    (folder / "notes.txt").write_text("words", encoding="utf-8")
    return folder


@pytest.fixture
def run(tmp_path, images):
    def build_it(out: str = "index", **options: object):
        request = BuildRequest(sources=(images,), out=tmp_path / out, scan=ScanOptions(**{"workers": 1, **options}))
        return build(request, track=iter)

    return build_it


@pytest.fixture
def compressed(tmp_path, dataset):
    """Write a compressed photograph of two frames, its pixel data made by a function of the good frames."""

    def make(name: str, change=list, **tags: object) -> Path:
        made = dataset(NumberOfFrames=2, PixelData=bytes(range(192)) * 2)
        made.compress(RLELossless, generate_instance_uid=False)
        frames = list(pydicom.encaps.generate_frames(made.PixelData, number_of_frames=2))
        made.PixelData = encapsulate(change(frames))
        for keyword, value in tags.items():
            setattr(made, keyword, value)
        path = tmp_path / name
        made.save_as(path, enforce_file_format=True)
        return path

    return make
