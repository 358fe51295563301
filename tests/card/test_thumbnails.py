from __future__ import annotations

import base64
import io

import nibabel
import numpy as np
import pydicom
import pytest
from forgotten_images import COLOUR, PLANTED, write_run
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian

from monai_unlearn.card import thumbnails as module
from monai_unlearn.card.thumbnails import thumbnails
from monai_unlearn.errors import ConfigError, DataError


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("run"))


def opened(one):
    content = base64.b64decode(one.source.removeprefix("data:image/png;base64,"))
    assert PLANTED.encode() not in content
    return Image.open(io.BytesIO(content))


def test_only_forgotten_images_are_shown_small_and_without_metadata(run):
    bundle, index = run
    found = thumbnails(bundle, index.directory, index_digest=index.digest)
    assert [one.label for one in found] == ["down", "up"] * 6
    for picture in map(opened, found):
        assert (picture.size, picture.info) == ((128, 64), {})
        assert np.asarray(picture)[30, 60].tolist() == list(COLOUR)
    assert thumbnails(bundle, index.directory, index_digest=index.digest) == found


def test_no_more_than_a_page_holds(run, monkeypatch):
    bundle, index = run
    monkeypatch.setattr(module, "MOST", 5)
    assert len(thumbnails(bundle, index.directory, index_digest=index.digest)) == 5


def test_another_index_or_no_evidence_is_refused(run, tmp_path):
    bundle, index = run
    with pytest.raises(DataError, match="expected the index of the run"):
        thumbnails(bundle, index.directory, index_digest="sha256:" + "0" * 64)
    with pytest.raises(ConfigError, match=r"cohort_members\.parquet is missing"):
        thumbnails(tmp_path / "bundle", index.directory, index_digest=index.digest)


def test_files_that_are_gone_are_left_out_and_none_at_all_is_refused(tmp_path):
    bundle, index = write_run(tmp_path)
    paths = index.frame(["path", "ManufacturerModelName"])
    old = paths["path"][paths["ManufacturerModelName"] == "Old"].tolist()
    (tmp_path / "images" / old[0]).unlink()
    assert len(thumbnails(bundle, index.directory, index_digest=index.digest)) == 11
    for path in old[1:]:
        (tmp_path / "images" / path).write_bytes(b"no image")
    with pytest.raises(DataError, match="none of the 12 forgotten images can be read"):
        thumbnails(bundle, index.directory, index_digest=index.digest)


def grey(row):
    (found,) = module._shown(row)
    return np.asarray(opened(found)).astype(int)


def test_dicom_and_volumes_are_shown_as_they_are_read(tmp_path):
    path = tmp_path / "a.dcm"
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.PixelRepresentation = "1.2", "1.3", 0
    dataset.PhotometricInterpretation, dataset.SamplesPerPixel = "MONOCHROME1", 1
    dataset.Rows, dataset.Columns, dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 2, 3, 8, 8, 7
    dataset.PixelData = bytes([0, 0, 0, 200, 200, 200])
    dataset.save_as(path, enforce_file_format=True)
    assert grey({"path": str(path), "format": "dicom", "label": ""}).tolist() == [[255] * 3, [0] * 3]
    voxels = np.zeros((2, 3, 5))
    # The left of the patient, in front, half way up: on the right of the picture, at the top.
    voxels[0, 2, 2] = 1
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), tmp_path / "a.nii.gz")
    shown = grey({"path": str(tmp_path / "a.nii.gz"), "format": "nifti", "label": ""})
    assert (shown.shape, shown.argmax()) == ((3, 2), 1)
