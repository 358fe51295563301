"""The list of fetched files."""

from __future__ import annotations

import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.fetch.manifest import MANIFEST, Fetched, read_manifest, write_manifest


@pytest.mark.parametrize(
    ("people", "issuer", "is_one"),
    [
        ((), None, True),
        (("P1",), None, True),
        (("P1",), "A", True),
        (("P2",), None, False),
        (("P1", "P1^^^A"), "A", True),
        (("P1", "P1^^^A"), "B", False),
        (("P1^^^A",), None, False),
    ],
)
def test_patients_are_compared_with_their_issuers(people, issuer, is_one):
    entry = Fetched("1.2", "1.2.dcm", 1, 1, "sha256:x", None, "P1", issuer, None)
    assert entry.is_of(frozenset(people)) is is_one


def test_the_list_is_read_as_it_was_written(tmp_path):
    entry = Fetched("1.2", "1/2/1.2.dcm", 1, 1, "sha256:x", None, "P1", None, None)
    assert read_manifest(tmp_path) == {}
    write_manifest(tmp_path, {"1.2": entry})
    assert read_manifest(tmp_path) == {"1.2": entry}
    (tmp_path / MANIFEST).write_bytes(b"damaged")
    with pytest.raises(IndexReadError, match="is damaged"):
        read_manifest(tmp_path)
