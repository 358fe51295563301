from __future__ import annotations

import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless
from same_rows import assert_same, is_fast

from monai_unlearn.index.doubts import DOUBTS
from monai_unlearn.index.fast_readers import Reader
from monai_unlearn.index.fast_readers.plain import read_plain
from monai_unlearn.index.fast_readers.values import OddFileError
from monai_unlearn.index.readers import read_file
from monai_unlearn.index.readers.row import derived_columns, read_columns


def test_row_is_that_of_the_pydicom_reader(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a", 3, StationName="S1")
    row = read_plain(str(path))
    assert row == read_file(path)
    assert row["StationName"] == "S1"
    assert set(row) == {"format", *DOUBTS, *read_columns(), *derived_columns()}


@pytest.mark.parametrize("content", [b"", b"words", bytes(128) + b"DICM"])
def test_other_files_are_odd(content, tmp_path):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(OddFileError, match="^$"):
        read_plain(str(tmp_path / "a"))


def test_missing_file_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        read_plain(str(tmp_path / "absent"))


def test_same_rows_of_a_file_cut_anywhere(tmp_path, make_dicom):
    content = make_dicom(tmp_path / "whole", 3).read_bytes()
    files = []
    for length in range(0, len(content), 7):
        files.append(tmp_path / f"{length}.dcm")
        files[-1].write_bytes(content[:length])
    assert_same(files, Reader.PLAIN)
    assert not any(map(is_fast, files[1:], [Reader.PLAIN] * len(files[1:])))


def test_same_rows_of_damaged_headers(tmp_path, make_dicom):
    """Whatever the plain reader reads itself, pydicom reads alike."""
    rng = np.random.default_rng(4)
    whole = make_dicom(tmp_path / "whole", 3, StationName="S1", SliceThickness="1.5").read_bytes()
    files = []
    for number in range(400):
        content = bytearray(whole)
        at, other = rng.integers(132, len(whole) - 200), rng.integers(132, len(whole) - 200)
        change = number % 4
        if change == 0:
            content[at] ^= 1 << int(rng.integers(8))
        elif change == 1:
            content[at : at + 8] = content[other : other + 8]
        elif change == 2:
            del content[at : at + rng.integers(1, 9)]
        else:
            content[at:at] = content[other : other + rng.integers(1, 17)]
        files.append(tmp_path / f"{number}.dcm")
        files[-1].write_bytes(content)
    assert_same(files, Reader.PLAIN)
    fast = sum(is_fast(path, Reader.PLAIN) for path in files)
    assert 20 < fast < 380


def test_same_rows_of_compressed_pixels(tmp_path, dataset):
    made = dataset(3)
    made.file_meta.TransferSyntaxUID = JPEG2000Lossless
    made.PixelData = encapsulate([b"\xff\x4f" + bytes(98)])
    made["PixelData"].is_undefined_length = True
    whole = tmp_path / "whole"
    made.save_as(whole, enforce_file_format=True)
    cut = tmp_path / "cut"
    cut.write_bytes(whole.read_bytes()[:-9])
    assert_same([whole, cut], Reader.PLAIN)
    assert is_fast(whole, Reader.PLAIN)
    assert not is_fast(cut, Reader.PLAIN)
