from __future__ import annotations

import pyarrow as pa
import pytest

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.index.tables.key import Key
from monai_unlearn.index.tables.table_sides import with_sides


def table(words, **columns):
    empty = pa.nulls(len(words), pa.string())
    return pa.table({"laterality": words, "fault": empty, "faults": empty, **columns})


def test_words_become_sides_and_others_are_noted():
    found = with_sides(table(["left", "O.D.", None, "upper", "both", "U", "left\\right"]))
    assert found["laterality"].to_pylist() == ["L", "R", None, None, "B", None, None]
    notes = [None, None, None, "invalid_laterality", None, None, "contradicting_laterality"]
    assert found["fault"].to_pylist() == notes


def test_what_is_no_image_has_no_note():
    faults = pa.array(["truncated"], pa.string())
    found = with_sides(pa.table({"laterality": ["upper"], "fault": faults, "faults": faults}))
    assert (found["laterality"].to_pylist(), found["faults"].to_pylist()) == ([None], ["truncated"])


@pytest.mark.parametrize("numbers", [pa.table({"laterality": [1.0, 2.0]}), pa.table({"eye": ["left"]})])
def test_numbers_and_other_columns_are_left_as_they_are(numbers):
    assert with_sides(numbers) is numbers


def test_a_table_that_is_joined_to_images_has_sides_too(tmp_path, make_image):
    for name in "abc":
        make_image(tmp_path / "images" / f"{name}.png")
    (tmp_path / "t.csv").write_text("file,laterality\na.png,left\nb.png,OD\nc.png,up\n", encoding="utf-8")
    keys = (Key(tmp_path / "t.csv", "file"),)
    built = build(BuildRequest(sources=(tmp_path / "images",), out=tmp_path / "i", keys=keys), track=iter)
    assert [fault.code for fault in built.faults] == ["invalid_laterality"]
    spec = CohortSpec.from_dict({"schema_version": 1, "name": "t", "reason": "other", "forget": "laterality == OS"})
    cohort = spec.resolve(built.index)
    assert {part: len(frame) for part, frame in (("forget", cohort.forget), ("remain", cohort.remain))} == {
        "forget": 1,
        "remain": 1,
    }
