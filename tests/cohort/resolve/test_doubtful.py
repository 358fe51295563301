from __future__ import annotations

import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort.resolve.doubtful import DOUBTFUL_IDENTITY, doubtful_images
from monai_unlearn.cohort.resolve.resolve import resolve_unguarded
from monai_unlearn.vocabulary.fields import Kind


@pytest.fixture
def index(tmp_path):
    columns = {
        "patient": ["a", "b", None, "c", "c", "d"],
        "device": ["old", "new", "new", None, "new", "old"],
        "fault": [None, "invalid_date", "missing_patient_id", None, None, "missing_patient_id"],
    }
    return make_index(tmp_path / "index", columns, {"device": Kind.TEXT})


def doubtful(index, forget, more=""):
    return sorted(doubtful_images(resolve_unguarded(make_spec(forget, more), index)))


@pytest.mark.parametrize(
    ("forget", "more", "images"),
    [
        # i02 names no patient, so nobody knows whether it is of `a`; i05 is said to name none, and remains.
        ("patient == a", "", ["i02", "i05"]),
        ("patient == a", "unknown: forget\n", ["i05"]),
        ("patient == a", "unknown: remain\n", ["i02", "i05"]),
        ("patient == a", "unknown: exclude\nwhy: So be it.\n", ["i02", "i05"]),
        # i03 has no device; i02 remains, and is of doubtful identity all the same. i05 is forgotten.
        ("device == old", "", ["i02", "i03"]),
        ("device == old", "unknown: remain\n", ["i02", "i03"]),
        ("device == old", "scope: patient\nunknown: remain\n", ["i02", "i03", "i04"]),
        # What is outside the population is in no part.
        ("device == old", "population: patient in [a, b, c]\n", ["i02", "i03"]),
        # Nobody knows whether i03 is in the population: it is undetermined.
        ("patient == a", "population: device == old\n", ["i03", "i05"]),
    ],
)
def test_what_may_have_to_be_forgotten_and_is_not(index, forget, more, images):
    assert doubtful(index, forget, more) == images


@pytest.mark.parametrize("code", DOUBTFUL_IDENTITY)
def test_every_fault_of_a_row_counts(tmp_path, code):
    columns = {"device": ["old", "new", "new"], "faults": [None, f"invalid_date\\{code}", "invalid_date"]}
    index = make_index(tmp_path / "index", columns, {"device": Kind.TEXT, "faults": Kind.TEXT})
    assert doubtful(index, "device == old") == ["i01"]
