"""The messages themselves are in test_parse.py; this file tests what they must never say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monai_unlearn.cohort import parse
from monai_unlearn.cohort.language.term import RESERVED
from monai_unlearn.errors import SpecError

_TOKENS = [
    *RESERVED,
    "a",
    "==",
    "<",
    "=",
    "(",
    ")",
    "[",
    "]",
    ",",
    "'",
    '"',
    "`",
    "x",
    "$",
    "\u201c",
    "\n",
    "exists",
    "&&",
]


@given(st.lists(st.sampled_from(_TOKENS), max_size=8).map(" ".join))
def test_any_text_parses_or_is_refused_in_our_words(text):
    try:
        assert parse(str(parse(text))) == parse(text)
    except SpecError as error:
        message = str(error)
        assert message.startswith("predicate:")
        assert "^" in message.splitlines()[-1]
        for word in ("Token", "WORD", "RPAR", "LSQB", "_AND", "COMPARE", "something else"):
            assert word not in message


@pytest.mark.parametrize("text", ["patient in [P17, P18 = P19]", "patient_id == P17 P18 == x", "PatientID == 'P17"])
def test_a_message_repeats_no_identifier_of_a_patient(text):
    with pytest.raises(SpecError, match="expected") as caught:
        parse(text)
    assert "P1" not in str(caught.value)
