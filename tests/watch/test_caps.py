from __future__ import annotations

import pytest
from cohort_index import make_index
from protocol_example import protocol

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.watch.caps import beyond

RULE = {"seed": 0, "test_fraction": 0.2}


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    columns = {
        "ManufacturerModelName": ["Old"] * 4 + ["New"] * 6,
        "diagnosis": ["healthy", "sick"] * 5,
        "split": ["train"] * 10,
    }
    return make_index(tmp_path_factory.mktemp("index"), columns, dict.fromkeys(columns, Kind.TEXT), label="diagnosis")


def found(index, *, share, patients=(1, 9), reason="other", split=RULE):
    known = {
        "reasons": ["other"],
        "patients": dict(zip(("min", "max"), patients, strict=True)),
        "share": {"min": 0.1, "max": share},
        "classes": ["healthy", "sick"],
    }
    text = f"schema_version: 1\nname: old\nreason: {reason}\nforget: device == Old\n"
    return beyond(CohortSpec.parse(text).resolve(index), protocol(qualified_for=known), split=split)


def test_a_cohort_within_the_protocol(index):
    assert found(index, share=0.4) == []


def test_the_share_of_patients(index):
    of_patients, of_images = found(index, share=0.3)
    assert of_patients == (
        "It forgets 40.0 % of the patients, with what was forgotten before; the protocol allows 30.0 %."
    )
    assert "the cohort is 40.0 %" in of_images
    assert found(index, share=0.3, split=None) == [of_patients]


def test_what_else_a_protocol_says(index):
    assert "had 5 to 9 patients" in found(index, share=0.4, patients=(5, 9))[0]
    assert "the cohort's is label_error" in found(index, share=0.4, reason="label_error")[0]
