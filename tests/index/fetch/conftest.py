"""An archive of phantom files, and an index of it."""

from __future__ import annotations

import pydicom
import pytest
from fake_archive import FakeArchive
from file_archive import images_of
from pulls import pulled

from monai_unlearn.index import Index
from monai_unlearn.phantom import write_fundus_studies


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The files of an archive by their identifiers."""
    folder = tmp_path_factory.mktemp("archive")
    write_fundus_studies(folder / "out", patients=3, size=64)
    found = {}
    for path in sorted((folder / "out").rglob("*.dcm")):
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        found[dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID] = path.read_bytes()
    return found


@pytest.fixture
def index(tmp_path, files):
    pulled(tmp_path / "index", FakeArchive(images_of(files)))
    return Index.open(tmp_path / "index")
