"""Single bits of all files of an index are flipped: no cohort changes unnoticed. Ten times as many flips, and how many
would change a cohort if nothing were compared, are in benchmarks/index_binding.py."""

from __future__ import annotations

import pytest
from bit_flips import REFUSED, cohort_digest, flipped, flips
from cohort_index import make_spec

from monai_unlearn.index.build import BuildRequest, build


@pytest.fixture
def index(tmp_path, make_dicom):
    for number in range(40):
        make_dicom(tmp_path / "images" / f"{number}.dcm", number, ManufacturerModelName=f"camera {number % 3}")
    build(BuildRequest(sources=(tmp_path / "images",), out=tmp_path / "index"), track=iter)
    return tmp_path / "index"


def test_no_flipped_bit_changes_a_cohort_unnoticed(index):
    spec = make_spec("device == camera 1 or age > 60", "unknown: forget\n")
    before = cohort_digest(index, spec)
    assert before != REFUSED
    chosen = flips(index, 100, seed=14)
    assert {flip.path.suffix for flip in chosen} == {".json", ".parquet"}
    found = {}
    for flip in chosen:
        with flipped(flip):
            found[flip] = cohort_digest(index, spec)
    assert set(found.values()) <= {REFUSED, before}
    # The rows that the next build would use again are compared when it reads them.
    read = [flip for flip in chosen if not flip.path.name.startswith("files-")]
    assert {found[flip] for flip in read} == {REFUSED}
    assert cohort_digest(index, spec) == before
