from __future__ import annotations

from cohort_index import make_index, make_spec

from monai_unlearn.cohort.reports.places import OUTSIDE, PLACES, joined, places
from monai_unlearn.cohort.resolve.frozen import Frozen
from monai_unlearn.cohort.resolve.resolve import resolve_unguarded
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.parts import PARTS

COLUMNS = {
    "device": ["old", "new", None, "old", "old"],
    "site": ["a", "a", "a", "b", "a"],
    "fault": [None] * 4 + ["unreadable"],
    "patient": ["p", "q", None, "p", "p"],
}
KINDS = {"device": Kind.TEXT, "site": Kind.TEXT}


def test_every_readable_image_is_in_a_part_or_outside(tmp_path):
    spec = make_spec("device == old", "population: site == a\n")
    found = places(resolve_unguarded(spec, make_index(tmp_path, COLUMNS, KINDS)))
    assert found["place"].to_dict() == {"i00": "forget", "i01": "remain", "i02": "undetermined", "i03": OUTSIDE}
    patients = found["patient"]
    assert patients["i00"] == patients["i03"] != patients["i01"]
    assert patients["i02"] == -1


def test_outside_is_not_a_part():
    assert OUTSIDE not in PARTS
    assert (*PARTS, OUTSIDE) == PLACES


def test_two_cohorts_are_joined_by_image(tmp_path):
    index = make_index(tmp_path, COLUMNS, KINDS)
    cohort = resolve_unguarded(make_spec("device == old", "population: site == a\n"), index)
    frozen = Frozen.of(resolve_unguarded(make_spec("device == new"), index))
    found = joined(cohort, frozen, index)
    assert found["a"].to_dict() == {"i00": "forget", "i01": "remain", "i02": "undetermined", "i03": OUTSIDE}
    assert found["b"].to_dict() == {"i00": "remain", "i01": "forget", "i02": "undetermined", "i03": "remain"}
    alone = joined(frozen, frozen, index)
    for patients in (found["patient"], alone["patient"]):
        assert patients["i00"] == patients["i03"] != patients["i01"]
        assert patients["i02"] == -1
    assert list(joined(frozen, frozen, None)) == ["a", "b"]
