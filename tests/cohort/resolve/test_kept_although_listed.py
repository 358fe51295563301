from __future__ import annotations

import pytest
from cohort_index import make_index

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.vocabulary.counted import counted
from monai_unlearn.vocabulary.fields import Kind


@pytest.fixture
def index(tmp_path):
    columns = {
        "patient": ["A", "A", "B", "C", "D", None],
        "device": ["old", "new", "new", "old", "new", "new"],
        "age": [50.0, 60.0, 50.0, 50.0, 50.0, 50.0],
    }
    return make_index(tmp_path / "index", columns, {"device": Kind.TEXT, "age": Kind.AGE})


def warned(index, forget, more="", reason="consent_withdrawal", about="listed to be forgotten"):
    text = f"schema_version: 1\nname: test\nreason: {reason}\nforget: {forget}\n{more}"
    warnings = CohortSpec.parse(text).resolve(index).warnings
    return [warning for warning in warnings if about in warning]


GONE = "value_sets: {gone: [A, B]}\n"


@pytest.mark.parametrize(
    ("forget", "more", "images"),
    [
        ("patient in @gone", GONE, 0),
        ("patient in @gone or device == old", GONE, 0),
        ("patient not in [C, D]", "", 0),
        ("device in [old]", "", 0),
        ("patient in @gone and device == old", GONE, 2),
        ("[patient in @gone, device == old]", GONE, 2),
        ("{any: [{all: [patient in @gone, age > 55]}, patient == C]}", GONE, 2),
        ("not patient != A and age < 55", "", 1),
        ("patient ~= a and age < 55", "", 1),
        ("patient like a and age < 55", "", 1),
        ("patient in @gone", f"{GONE}population: device == new\n", 1),
        ("patient in @gone", f"{GONE}sample: {{count: 1, by: patient}}\n", None),
        ("patient in @gone and zscore(age) > 1", GONE, 2),
        ("patient in @gone and device == old", f"{GONE}scope: patient\n", 1),
    ],
)
def test_images_of_listed_people_that_are_not_forgotten_are_counted(index, forget, more, images):
    found = warned(index, forget, more)
    if images == 0:
        assert not found
    else:
        assert len(found) == 1
        assert found[0].startswith("" if images is None else f"{counted(images, 'image')} of people who are listed")
    assert not warned(index, forget, more, reason="other")


@pytest.mark.parametrize(
    ("forget", "more", "conditions"),
    [
        ("not patient in @gone", GONE, ["patient in @gone"]),
        ("{not: {any: ['patient in [A, B]', device == old]}}", "", ["patient in [… 2 values]"]),
        ("patient != A", "", ["patient == …"]),
        ("not patient != A", "", []),
        ("patient in @gone and device not in [new]", GONE, []),
    ],
)
def test_a_negated_list_is_told(index, forget, more, conditions):
    found = warned(index, forget, more, about="is negated")
    assert found == [f"'{one}' is negated: it forgets others than those who are listed." for one in conditions]
    assert not warned(index, forget, more, reason="other", about="is negated")


@pytest.mark.parametrize(
    ("forget", "conditions"),
    [
        ("patient contains A", ["patient contains …"]),
        ("device == old or patient matches /^[A]$/", ["patient matches /…/"]),
        ("image_id between i00 and i02", ["image_id between … and …"]),
        ("patient in @gone", []),
        ("patient == A", []),
        ("device contains ol", []),
        ("age < 55", []),
    ],
)
def test_people_who_are_named_by_part_of_an_identifier_are_told(index, forget, conditions):
    more = GONE if "@gone" in forget else ""
    found = warned(index, forget, more, about="part of an identifier")
    assert [text.partition(" names people by part of an identifier")[0] for text in found] == [
        f"'{one}'" for one in conditions
    ]
    assert not warned(index, forget, more, reason="other", about="part of an identifier")
