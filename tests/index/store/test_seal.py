from __future__ import annotations

import json

import pytest

from monai_unlearn.index.store.seal import SEAL, seal_of, sealed

DOCUMENT = {"rows": 2, "columns": {"b": "text", "a": "number"}, "parts": ("one", "two"), "label": None, "name": "é"}


def test_a_document_is_sealed_as_it_is_read_again():
    document = sealed(DOCUMENT)
    read = json.loads(json.dumps(document, ensure_ascii=False))
    assert read[SEAL] == seal_of(read) == document[SEAL]
    assert list(document) == [*DOCUMENT, SEAL]
    assert sealed(document) == document


@pytest.mark.parametrize(
    "change",
    [{"rows": 3}, {"rows": 2.0}, {"label": ""}, {"more": None}, {"parts": ["two", "one"]}, {"columns": {"a": "text"}}],
)
def test_any_change_breaks_the_seal(change):
    document = sealed(DOCUMENT)
    assert seal_of({**document, **change}) != document[SEAL]


def test_the_order_of_keys_is_no_content():
    document = sealed(DOCUMENT)
    assert seal_of(dict(reversed(document.items()))) == document[SEAL]
