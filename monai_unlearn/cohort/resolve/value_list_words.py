"""How many values of a list occur in an index, in words; the counts may be hidden from the reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.query.near_misses import ISSUER
from monai_unlearn.vocabulary.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_KINDS = {
    "case": "upper and lower case",
    "spaces": "spaces or hyphens",
    "compatibility": "full-width or other forms of letters and digits",
    "leading_zeros": "leading zeros",
    "decimal": "decimals such as .0",
    "affix": "a prefix or suffix",
}

_SHARED = "Identifiers that several patients have"
_FORM = (
    "Write each with its issuer, in the form 1001^^^ISSUER, or 1001^^^ISSUER^^INSTITUTION: nobody knows who is meant."
)


def value_list_words(entry: Mapping[str, Any]) -> str:
    """Return an entry of `value_lists` as a sentence or two.

    >>> entry = {"list": "@gone", "field": "patient", "values": 6, "matched": 4, "absent": 1, "near": {"case": 1}}
    >>> value_list_words({**entry, "absent": 0})
    '4 of 6 values of @gone (patient) occur in the index. Near misses: 1 by upper and lower case.'
    >>> value_list_words({**entry, "near": {"case": 0}})
    '4 of 6 values of @gone (patient) occur in the index; 1 is known to be absent.'
    """
    known = entry["absent"]
    absent = f"; {counted(known, 'is', 'are')} known to be absent" if known else ""
    values, occur = (counted(entry["values"], "value"), "occurs" if entry["values"] == 1 else "occur")
    matched = f"{entry['matched']} of {values} of {entry['list']} ({entry['field']}) {occur} in the index"
    return f"{matched}{absent}. {near_words(entry['near'])}".strip()


def near_words(near: Mapping[str, int | str]) -> str:
    """Return the near misses as sentences that end in a space; empty where there are none."""
    found = ", ".join(_near(near))
    shared = near.get(ISSUER)
    return (f"Near misses: {found}. " if found else "") + (f"{_SHARED}: {shared}. {_FORM} " if shared else "")


def _near(near: Mapping[str, int | str]) -> Iterator[str]:
    for kind, count in near.items():
        if count and kind in _KINDS:
            yield f"{count} by {_KINDS[kind]}"
