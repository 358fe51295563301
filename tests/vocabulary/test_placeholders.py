from __future__ import annotations

import pytest

from monai_unlearn.vocabulary.placeholders import is_placeholder, placeholders


@pytest.mark.parametrize(
    "value",
    [
        "ANONYMOUS",
        "anonymous",
        "Anonymized",
        " ANON ",
        "^ANONYMOUS^",
        "De-Identified",
        "***",
        "",
        "  ",
        "\u00a0",
        "---",
        "?",
        "XXXX",
        "unknown",
        "N/A",
        "no patient id",
        "REMOVED",
        "null",
        "0",
        "00000000",
    ],
)
def test_placeholder_names_nobody(value):
    assert is_placeholder(value)


@pytest.mark.parametrize(
    "value", ["P000", "0001", "000", "X", "X-9", "1", "ANON-17", "12345", "NA12878", "Ünal", "患者1"]
)
def test_identifier_names_somebody(value):
    assert not is_placeholder(value)


def test_zeros_count_patients_in_a_column_of_numbers():
    assert [is_placeholder(value, zeros=False) for value in ("0", "00000000", "***")] == [False, False, True]


def test_words_are_spelt_as_they_are_compared():
    assert all(word == word.casefold() and word.isalnum() for word in placeholders().words)
