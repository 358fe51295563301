from __future__ import annotations

from dataclasses import dataclass

import pytest

from monai_unlearn.evaluation.registry import Registry


@dataclass(frozen=True)
class Record:
    name: str


def test_keeps_the_order_and_each_name_once():
    records: Registry[Record] = Registry("A record")
    records.register(Record("second"))
    records.register(Record("first"))
    assert list(records.registered()) == ["second", "first"]
    with pytest.raises(ValueError, match="A record named 'first' is already registered"):
        records.register(Record("first"))


def test_cannot_be_changed_from_outside():
    with pytest.raises(TypeError):
        Registry("A record").registered()["new"] = Record("new")
