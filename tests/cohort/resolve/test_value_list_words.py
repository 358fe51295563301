from __future__ import annotations

import pytest

from monai_unlearn.cohort.query.near_misses import KINDS
from monai_unlearn.cohort.resolve.value_list_words import near_words, value_list_words

ENTRY = {"list": "@gone", "field": "patient", "values": 6, "matched": 3, "absent": 0, "near": dict.fromkeys(KINDS, 0)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "3 of 6 values of @gone (patient) occur in the index."),
        ({"list": "== …", "values": 1, "matched": 0}, "0 of 1 value of == … (patient) occurs in the index."),
        ({"absent": 2}, "3 of 6 values of @gone (patient) occur in the index; 2 are known to be absent."),
        (
            {"matched": "<5", "values": "hidden", "near": {"case": "<5"}},
            "<5 of hidden values of @gone (patient) occur in the index. Near misses: <5 by upper and lower case.",
        ),
    ],
)
def test_an_entry_reads_as_a_sentence(changes, words):
    assert value_list_words({**ENTRY, **changes}) == words


def test_every_kind_of_near_miss_has_words():
    text = near_words(dict.fromkeys(KINDS, 2))
    assert text.count("2 by ") == len(KINDS)


def test_an_identifier_of_several_patients_is_told_apart_by_its_issuer():
    text = value_list_words({**ENTRY, "near": {"case": 1, "issuer": 2}})
    assert text.endswith(
        "Near misses: 1 by upper and lower case. Identifiers that several patients have: 2. Write each with its "
        "issuer, in the form 1001^^^ISSUER, or 1001^^^ISSUER^^INSTITUTION: nobody knows who is meant."
    )
