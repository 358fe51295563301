from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import numpy as np
import pydicom
import pytest
from nibabel.nifti1 import Nifti1Image
from PIL import Image
from pydicom.data import get_testdata_files
from pydicom.uid import MPEG2MPML

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.readers import read_file
from monai_unlearn.index.readers.dicom_pixels import has_pixels
from monai_unlearn.index.scan import decode
from monai_unlearn.index.scan.decode import decode_fault


def _fault(path: Path) -> Fault | None:
    row = read_file(path)
    assert row.get("fault") is None  # lengths alone do not show the fault
    return decode_fault(path, str(row["format"]))


def test_sound_pixels_have_no_fault(compressed, make_dicom, make_image, tmp_path):
    assert _fault(compressed("a.dcm")) is None
    assert _fault(make_dicom(tmp_path / "b.dcm")) is None
    for suffix in ("png", "jpg", "tif", "bmp"):
        assert _fault(make_image(tmp_path / f"c.{suffix}")) is None
    (tmp_path / "d.nii.gz").write_bytes(gzip.compress(Nifti1Image(np.zeros((4, 4, 4)), np.eye(4)).to_bytes()))
    assert _fault(tmp_path / "d.nii.gz") is None


def test_compressed_pixels_that_do_not_decode_are_a_fault(compressed):
    path = compressed("cut.dcm", lambda frames: [frames[0], frames[1][:70]])
    assert _fault(path) is Fault.PIXEL_DATA_UNDECODABLE
    path = compressed("noise.dcm", lambda frames: [b"\xff" * 100 for _ in frames])
    assert _fault(path) is Fault.PIXEL_DATA_UNDECODABLE


def test_frame_that_is_missing_is_a_fault(compressed):
    fault = _fault(compressed("one.dcm", lambda frames: frames[:1]))
    assert fault in {Fault.PIXEL_DATA_SHORT, Fault.PIXEL_DATA_UNDECODABLE}


def test_compression_without_a_decoder_is_reported_and_the_image_counts(compressed):
    path = compressed("film.dcm")
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = MPEG2MPML
    dataset.save_as(path)
    assert _fault(path) is Fault.PIXELS_NOT_CHECKED
    assert Fault.PIXELS_NOT_CHECKED.usable


def test_pixels_that_would_fill_memory_are_not_decoded(compressed, monkeypatch):
    path = compressed("a.dcm")
    monkeypatch.setattr(decode, "MAX_DECODED", 100)
    assert _fault(path) is Fault.TOO_LARGE_INFLATED


def test_image_that_would_fill_memory_is_not_decoded(make_image, tmp_path, monkeypatch):
    path = make_image(tmp_path / "a.png")
    monkeypatch.setattr(decode, "MAX_DECODED", 100)
    assert _fault(path) is Fault.TOO_LARGE_INFLATED


def test_damaged_image_and_volume_are_faults(make_image, tmp_path):
    path = make_image(tmp_path / "a.png")
    content = bytearray(path.read_bytes())
    content[content.index(b"IDAT") + 20] ^= 0xFF
    path.write_bytes(content)
    assert _fault(path) is Fault.PIXEL_DATA_UNDECODABLE
    volume = bytearray(gzip.compress(Nifti1Image(np.zeros((4, 4, 4)), np.eye(4)).to_bytes()))
    volume[-8] ^= 0xFF  # the checksum
    (tmp_path / "b.nii.gz").write_bytes(volume)
    assert _fault(tmp_path / "b.nii.gz") is Fault.PIXEL_DATA_UNDECODABLE


def _by_pydicom(path: Path) -> set[str]:
    """Return what the index may say about a file, from what pydicom's own decoding says; empty if it has no pixels."""
    dataset = pydicom.dcmread(path, force=True)
    if not has_pixels(dataset):
        return set()
    try:
        assert dataset.pixel_array.size
    except Exception as error:
        said = str(error)
        if any(words in said for words in ("missing dependencies", "does not support", "is not supported")):
            return {"pixels_not_checked"}
        return {"pixel_data_undecodable", "truncated", "missing_sop_instance_uid"}
    return {"sound", "missing_sop_instance_uid"}


@pytest.mark.filterwarnings("ignore")
def test_files_that_pydicom_ships_are_judged_as_pydicom_decodes_them() -> None:
    judged: Counter[str] = Counter()
    for path in sorted(map(Path, get_testdata_files("**/*.dcm"))):
        if expected := _by_pydicom(path):
            fault = Fault.of(code) if isinstance(code := read_file(path).get("fault"), str) else None
            if fault is None or fault.usable:  # the index decodes no others
                fault = decode_fault(path, "dicom")
            found = "sound" if fault is None else fault.code
            assert found in expected, path.name
            judged[found] += 1
    assert judged["sound"] > 50
    assert judged["pixels_not_checked"] >= 2
    assert judged["pixel_data_undecodable"] >= 2


def test_what_load_refuses_of_an_image_is_its_fault(tmp_path):
    Image.fromarray(np.zeros((4, 4), np.float32)).save(tmp_path / "float.tif")
    Image.new("RGBA", (4, 4)).save(tmp_path / "clear.png")
    pages = [Image.new("L", (4, 4)), Image.new("L", (4, 4))]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    Image.new("LAB", (4, 4)).save(tmp_path / "lab.tif")
    Image.fromarray(np.full((4, 4), 40_000, np.uint16)).save(tmp_path / "deep.png")
    assert {path.name: _fault(path) for path in tmp_path.iterdir()} == {
        "float.tif": Fault.UNKNOWN_VALUE_RANGE,
        "clear.png": Fault.TRANSPARENT_PIXELS,
        "pages.tif": Fault.SEVERAL_FRAMES,
        "lab.tif": Fault.UNSUPPORTED_PIXELS,
        "deep.png": None,
    }
