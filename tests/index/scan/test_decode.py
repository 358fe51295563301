from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pydicom
import pytest
from nibabel.nifti1 import Nifti1Image
from pydicom.data import get_testdata_file
from pydicom.uid import MPEG2MPML

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.readers import read_file
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


@pytest.mark.parametrize(
    "name", ["JPEG2000.dcm", "MR_small_RLE.dcm", "SC_rgb_jpeg_dcmtk.dcm", "MR_small_jpeg_ls_lossless.dcm"]
)
def test_compressed_files_that_pydicom_ships_are_sound(name):
    assert decode_fault(Path(get_testdata_file(name)), "dicom") in {None, Fault.PIXELS_NOT_CHECKED}
