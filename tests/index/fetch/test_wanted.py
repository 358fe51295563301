"""Which images are fetched."""

from __future__ import annotations

import pytest
from file_archive import rows

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.fetch.wanted import wanted_of


@pytest.mark.parametrize("row", [("1.2", None, "1.3", None), ("../x", "1.2", "1.3", None), ("1.2", "1.2", "x", None)])
def test_what_an_archive_cannot_be_asked_for_is_refused(row):
    with pytest.raises(IndexReadError, match="no valid study"):
        wanted_of([row])


def test_images_in_the_order_of_their_studies(index):
    found = wanted_of(rows(index))
    assert [one.name for one in found] == sorted(f"{one.study}/{one.series}/{one.uid}.dcm" for one in found)
    assert all(one.people for one in found)
