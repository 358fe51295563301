from __future__ import annotations

import gzip
import struct

import nibabel as nib
import numpy as np
import pytest
from measure_files import make_mask

from monai_unlearn.index.readers import nifti, read_file

VALUES = np.random.default_rng(0).integers(0, 200, (5, 6, 7)).astype(np.int16)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("image", [nib.Nifti1Image, nib.Nifti2Image])
def test_image_is_recognised_by_its_content(name, image, tmp_path):
    path = make_mask(tmp_path / name, VALUES, image=image)
    assert read_file(path) == {"format": "nifti"}
    assert read_file(path.rename(tmp_path / "no_suffix")) == {"format": "nifti"}


def test_other_byte_order_is_read(tmp_path):
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(">i2")
    nib.save(nib.Nifti1Image(VALUES.astype(">i2"), np.eye(4), header), tmp_path / "a.nii")
    assert (tmp_path / "a.nii").read_bytes()[:4] == b"\0\0\x01\x5c"
    assert read_file(tmp_path / "a.nii") == {"format": "nifti"}


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_image_cut_anywhere_is_never_good(name, tmp_path):
    path = make_mask(tmp_path / name, VALUES)
    content = path.read_bytes()
    for size in {*range(0, len(content), 5), len(content) - 1}:
        path.write_bytes(content[:size])
        assert read_file(path)["fault"] in {"truncated", "not_an_image", "unreadable", "empty_file"}, size


@pytest.mark.parametrize(
    "spoil",
    [
        lambda header: header.__setitem__("dim", [3, 0, 6, 7, 1, 1, 1, 1]),
        lambda header: header.__setitem__("dim", [3, -5, 6, 7, 1, 1, 1, 1]),
        lambda header: header.__setitem__("dim", [0] * 8),
        lambda header: header.__setitem__("datatype", 999),
        lambda header: header.__setitem__("vox_offset", 0),
        lambda header: header.__setitem__("vox_offset", np.nan),
    ],
)
def test_malformed_header_is_a_fault_and_prints_nothing(spoil, tmp_path, capfd):
    path = make_mask(tmp_path / "a.nii", VALUES)
    header = nib.Nifti1Header(path.read_bytes()[:348], check=False)
    spoil(header)
    path.write_bytes(header.binaryblock + path.read_bytes()[348:])
    assert read_file(path) == {"format": "nifti", "fault": "unreadable"}
    assert capfd.readouterr() == ("", "")


def test_gzipped_table_is_not_an_image(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" * 200))
    assert read_file(path)["fault"] == "not_an_image"


def _bomb(path, shape, inflated: int) -> None:
    """Write a gzipped file whose header declares a shape of bytes, and that inflates to so many zeros behind it."""
    header = nib.Nifti1Header()
    header.set_data_dtype(np.uint8)
    header.set_data_shape(shape)
    header["vox_offset"], header["magic"] = 352, b"n+1"
    path.write_bytes(gzip.compress(header.binaryblock + bytes(4) + bytes(inflated)))


def test_bomb_is_refused_without_being_inflated(tmp_path, monkeypatch):
    # What is declared is too much already.
    _bomb(tmp_path / "a.nii.gz", (30_000, 30_000, 30), 10)
    assert read_file(tmp_path / "a.nii.gz") == {"format": "nifti", "fault": "too_large_inflated"}
    # Little is declared, and much comes.
    _bomb(tmp_path / "b.nii.gz", (2, 2, 2), 40 * 1024**2)
    pieces = []
    reading = gzip.GzipFile.read
    monkeypatch.setattr(gzip.GzipFile, "read", lambda file, size=-1: pieces.append(size) or reading(file, size))
    assert read_file(tmp_path / "b.nii.gz") == {"format": "nifti", "fault": "too_large_inflated"}
    assert max(pieces) <= 1024**2
    assert sum(pieces) < 4 * 1024**2
    # Much is declared, and little comes.
    _bomb(tmp_path / "c.nii.gz", (1000, 1000, 1000), 1000)
    assert read_file(tmp_path / "c.nii.gz") == {"format": "nifti", "fault": "truncated"}


def test_complete_file_is_recognised_by_its_last_four_bytes(tmp_path, monkeypatch):
    path = make_mask(tmp_path / "a.nii.gz", VALUES)
    assert struct.unpack("<L", path.read_bytes()[-4:])[0] == 352 + 2 * VALUES.size
    monkeypatch.setattr(nifti, "_CHUNK", None)  # it is not inflated to be counted
    assert read_file(path) == {"format": "nifti"}


def test_several_gzip_members_and_bytes_after_the_voxels_are_accepted(tmp_path):
    path = make_mask(tmp_path / "a.nii.gz", VALUES)
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content[:500]) + gzip.compress(content[500:] + b"behind"))
    assert read_file(path) == {"format": "nifti"}
    path.write_bytes(gzip.compress(content[:500]) + gzip.compress(content[500:-1]))
    assert read_file(path) == {"format": "nifti", "fault": "truncated"}
