from __future__ import annotations

import json

import pytest

from monai_unlearn.errors import InputError
from monai_unlearn.release.ledger.head import Head

HASH = "sha256:" + "a" * 64


def test_a_head_goes_there_and_back(tmp_path):
    Head(3, HASH, HASH).write(tmp_path / "head.json")
    assert Head.read(tmp_path / "head.json") == Head(3, HASH, HASH)


@pytest.mark.parametrize(
    "content", ["", "[]", {}, {"count": -1}, {"count": True}, {"count": 1.0}, {"hash": "a"}, {"first": None}]
)
def test_other_content_is_refused(content, tmp_path):
    whole = {"count": 1, "hash": HASH, "first": HASH}
    text = content if isinstance(content, str) else json.dumps({**whole, **content} if content else {})
    (tmp_path / "head.json").write_text(text)
    with pytest.raises(InputError, match="expected the head of a ledger"):
        Head.read(tmp_path / "head.json")


def test_a_missing_head_is_told(tmp_path):
    with pytest.raises(InputError, match="the head cannot be read"):
        Head.read(tmp_path / "head.json")
