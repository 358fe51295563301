from __future__ import annotations

import io
import struct
import tracemalloc
import zlib

import pytest
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian

from monai_unlearn.index.readers import FaultyFileError, deflated, read_file
from monai_unlearn.index.readers.deflated import inflated


def test_dataset_is_inflated_and_other_files_are_not(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a", 2, syntax=DeflatedExplicitVRLittleEndian)
    with path.open("rb") as stream:
        content = inflated(stream)
    assert dcmread(path).PixelData in content.getvalue()
    with make_dicom(tmp_path / "b").open("rb") as stream:
        assert inflated(stream) is None


def test_limit_is_on_the_inflated_size(tmp_path, make_dicom, monkeypatch):
    path = make_dicom(tmp_path / "a", 2, syntax=DeflatedExplicitVRLittleEndian)
    with path.open("rb") as stream:
        size = len(inflated(stream).getvalue())
        for limit, is_accepted in ((size, True), (size - 1, False)):
            monkeypatch.setattr(deflated, "MAX_INFLATED", limit)
            if is_accepted:
                assert inflated(stream) is not None
            else:
                with pytest.raises(FaultyFileError, match="too_large_inflated"):
                    inflated(stream)


def test_deflate_bomb_is_refused(tmp_path, dataset):
    made = dataset(syntax=DeflatedExplicitVRLittleEndian)
    buffer = io.BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    content = buffer.getvalue()
    length = 80 * 1024 * 1024
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = deflater.compress(struct.pack("<HH2sHL", 9, 0x1010, b"OB", 0, length) + b"\0" * length) + deflater.flush()
    group_length = struct.unpack("<L", content[140:144])[0]
    path = tmp_path / "bomb"
    path.write_bytes(content[: 144 + group_length] + bomb)
    assert path.stat().st_size < 200_000
    assert read_file(path) == {"format": "dicom", "fault": "too_large_inflated"}


def test_deflated_file_is_read(tmp_path, make_dicom):
    row = read_file(make_dicom(tmp_path / "a", 2, syntax=DeflatedExplicitVRLittleEndian))
    assert (row.get("fault"), row["PatientID"]) == (None, "P2")


def test_deflate_bomb_takes_little_memory(tmp_path, dataset):
    made = dataset(syntax=DeflatedExplicitVRLittleEndian)
    buffer = io.BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    content = buffer.getvalue()
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = b"".join(deflater.compress(b"\0" * 1024 * 1024) for _ in range(300)) + deflater.flush()
    path = tmp_path / "bomb"
    path.write_bytes(content[: 144 + struct.unpack("<L", content[140:144])[0]] + bomb)
    assert path.stat().st_size < 310_000
    tracemalloc.start()
    assert read_file(path) == {"format": "dicom", "fault": "too_large_inflated"}
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def test_damaged_deflated_file_is_unreadable(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a", syntax=DeflatedExplicitVRLittleEndian)
    content = bytearray(path.read_bytes())
    start = 144 + struct.unpack("<L", content[140:144])[0]
    content[start] = 0x07  # a block of a type that there is not
    path.write_bytes(content)
    assert read_file(path)["fault"] == "unreadable"


def test_meta_element_longer_than_any_is_not_loaded(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a")
    content = path.read_bytes()
    version = b"\x02\x00\x01\x00OB\x00\x00\x02\x00\x00\x00"
    assert version in content
    path.write_bytes(content.replace(version, version[:-4] + b"\x00\x00\x00\x7f"))
    assert read_file(path) == {"format": "dicom", "fault": "element_beyond_file"}
