"""An archive of phantom files, and an index of it."""

from __future__ import annotations

import pytest
from fake_archive import FakeArchive
from file_archive import images_of, phantom_files
from pulls import pulled

from monai_unlearn.index import Index


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The files of an archive by their identifiers."""
    return phantom_files(tmp_path_factory.mktemp("archive"), patients=3)


@pytest.fixture
def index(tmp_path, files):
    pulled(tmp_path / "index", FakeArchive(images_of(files)))
    return Index.open(tmp_path / "index")
