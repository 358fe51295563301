from __future__ import annotations

import pandas as pd
import pytest

from monai_unlearn.cohort import SplitRule
from monai_unlearn.cohort.resolve.datalist import COLUMNS, datalist, image_table
from monai_unlearn.errors import DataError


def _frame(ids, **columns):
    frame = {"image_id": ids, "path": [f"{name}.png" for name in ids], "patient": [f"p-{name}" for name in ids]}
    return pd.DataFrame({**frame, "grade": ["1"] * len(ids), **columns}, dtype="string")


FRAMES = {"remain": _frame(["a", "c"]), "forget": _frame(["d", "b"], grade=["2", None]), "undetermined": _frame([])}


def test_the_table_is_ordered_by_part_and_then_as_the_frames():
    table = image_table(FRAMES, label="grade", rule=SplitRule())
    assert tuple(table.columns) == COLUMNS
    assert table["image_id"].tolist() == ["d", "b", "a", "c"]
    assert table["part"].tolist() == ["forget", "forget", "remain", "remain"]
    assert table["split"].tolist() == [SplitRule().of(f"p-{name}") for name in "dbac"]
    assert table.index.tolist() == [0, 1, 2, 3]


def test_items_are_those_of_the_parts_and_the_split_in_the_order_of_the_table():
    table = image_table(FRAMES, label="grade", rule=SplitRule()).assign(split=["test", "train", "train", "train"])
    items = datalist(table, ["remain", "forget"], "train")
    assert items[0] == {"image": "b.png", "image_id": "b", "patient": "p-b", "label": None}
    assert [item["image_id"] for item in items] == ["b", "a", "c"]
    assert datalist(table, ["forget"], "test") == [{"image": "d.png", "image_id": "d", "patient": "p-d", "label": "2"}]
    assert datalist(table, [], "train") == datalist(table, ["undetermined"], "train") == []


@pytest.mark.parametrize("dtype", ["float64", "Float64", "string", "object"])
def test_a_missing_value_is_none_whatever_the_type_of_its_column(dtype):
    grades = pd.Series([None, 2], dtype="Float64").astype(dtype)
    table = image_table({"remain": _frame(["a", "b"]).assign(grade=grades)}, label="grade", rule=SplitRule())
    first, second = datalist(table.assign(split="train"), ["remain"], "train")
    assert first["label"] is None
    assert float(second["label"]) == 2


def test_without_classes_there_are_no_labels():
    table = image_table(FRAMES, label=None, rule=SplitRule())
    assert {item["label"] for split in ("train", "test") for item in datalist(table, ["remain"], split)} == {None}


def test_an_empty_cohort_has_no_items():
    table = image_table({"remain": _frame([])}, label="grade", rule=SplitRule())
    assert tuple(table.columns) == COLUMNS
    assert datalist(table, ["remain"], "train") == []


def test_splits_are_assigned_over_all_parts():
    forget, remain = _frame(["a"], patient=["p"], split=["train"]), _frame(["b"], patient=["p"], split=["test"])
    with pytest.raises(DataError, match="puts 1 patient into more than one split"):
        image_table({"forget": forget, "remain": remain}, label=None, rule=SplitRule())


@pytest.mark.parametrize(
    ("parts", "split", "message"),
    [
        (["remain", "forgot"], "train", "part: expected one of forget, remain, undetermined, got 'forgot'"),
        (["remain"], "tests", "split: expected one of train, validation, test, got 'tests'. Did you mean 'test'"),
    ],
)
def test_an_unknown_part_or_split_is_refused(parts, split, message):
    with pytest.raises(DataError, match=message):
        datalist(image_table(FRAMES, label="grade", rule=SplitRule()), parts, split)
