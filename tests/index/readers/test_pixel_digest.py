from __future__ import annotations

import hashlib

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian, RLELossless

from monai_unlearn.index.readers.pixel_digest import pixel_digest, pixel_digests


@pytest.fixture
def first(make_dicom, tmp_path):
    return make_dicom(tmp_path / "first.dcm", 1)


def again(path, change, name="again.dcm"):
    """Save a file under another name, with a change of its dataset."""
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path.with_name(name))
    return path.with_name(name)


def test_the_same_picture_has_the_same_digest(first):
    def edit(dataset):
        dataset.PatientID, dataset.StudyDescription = "other", "longer than it was before"

    assert pixel_digest(again(first, edit)) == pixel_digest(first)
    assert pixel_digest(first).startswith("sha256:")


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_the_form_of_other_tags_is_no_change(syntax, first, make_dicom, tmp_path):
    assert pixel_digest(make_dicom(tmp_path / "other.dcm", 1, syntax=syntax)) == pixel_digest(first)


def test_a_file_without_preamble_has_the_digest_of_its_pixels(first, tmp_path):
    bare = tmp_path / "bare.dcm"
    bare.write_bytes(first.read_bytes()[132:])
    assert pixel_digest(bare) == pixel_digest(first)


def brighter(dataset):
    dataset.PixelData = bytes([dataset.PixelData[0] ^ 1]) + dataset.PixelData[1:]


def wider(dataset):
    dataset.Rows, dataset.Columns = dataset.Rows // 2, dataset.Columns * 2


def inverted(dataset):
    dataset.PhotometricInterpretation = "YBR_FULL"


def padded(dataset):
    dataset.PixelData += b"\1\1"


@pytest.mark.parametrize("change", [brighter, wider, inverted, padded, lambda dataset: dataset.compress(RLELossless)])
def test_another_picture_has_another_digest(change, first):
    assert pixel_digest(again(first, change)) != pixel_digest(first)


def test_a_palette_is_part_of_the_picture(make_dicom, tmp_path):
    def made(name, **tags):
        grey = {"PhotometricInterpretation": "PALETTE COLOR", "SamplesPerPixel": 1, "PixelData": bytes(64)}
        return make_dicom(tmp_path / name, 1, **{**grey, "RedPaletteColorLookupTableData": b"\0\1", **tags})

    first = pixel_digest(made("first.dcm"))
    assert first == pixel_digest(made("again.dcm"))
    assert first != pixel_digest(made("other.dcm", RedPaletteColorLookupTableData=b"\1\1"))


def test_the_order_of_bytes_counts(make_dicom, tmp_path):
    words = {"BitsAllocated": 16, "BitsStored": 16, "HighBit": 15, "PixelData": bytes(range(192)) * 2}
    little = make_dicom(tmp_path / "little.dcm", 1, **words)
    big = make_dicom(tmp_path / "big.dcm", 1, syntax=ExplicitVRBigEndian, **words)
    assert pixel_digest(big) != pixel_digest(little)


def test_compressed_pixels_end_with_their_delimiter(first):
    compressed = again(first, lambda dataset: dataset.compress(RLELossless))
    padded = again(compressed, lambda dataset: setattr(dataset, "DataSetTrailingPadding", b"\0\0"), "padded.dcm")
    cut = compressed.with_name("cut.dcm")
    cut.write_bytes(compressed.read_bytes()[:-8])
    assert pixel_digest(padded) == pixel_digest(compressed)
    assert pixel_digest(cut) != pixel_digest(compressed)


def test_every_byte_of_another_file_counts(make_image, tmp_path):
    image, volume = make_image(tmp_path / "image.png"), tmp_path / "volume.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.zeros((2, 3, 4), np.int16), np.eye(4)), volume)
    for path in (image, volume):
        assert pixel_digest(path) == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


@pytest.mark.parametrize("content", [{"PixelData": None}, {"PixelData": None, "Rows": None, "Columns": None}])
def test_a_file_without_pixels_has_none(content, make_dicom, tmp_path):
    assert pixel_digest(make_dicom(tmp_path / "report.dcm", 1, **content)) is None


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        pixel_digest(tmp_path / "absent.dcm")


def test_many_files_are_read_in_their_order_and_pydicom_is_as_before(make_dicom, make_image, tmp_path):
    paths = [make_dicom(tmp_path / f"{number}.dcm", number) for number in range(20)]
    paths[3:3] = [tmp_path / "absent.dcm", make_image(tmp_path / "image.png")]
    before = pydicom.config.settings.reading_validation_mode
    assert pixel_digests(paths) == [None if path.name == "absent.dcm" else pixel_digest(path) for path in paths]
    assert pydicom.config.settings.reading_validation_mode == before
