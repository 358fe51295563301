from __future__ import annotations

import pytest
from card_example import CLOSE, FULL, build, rich

from monai_unlearn.card.fields import DATA, DESCRIPTION, EVALUATION, FIELDS, IMPACT, TRAINING, UPDATE, gaps
from monai_unlearn.card.html import to_html
from monai_unlearn.card.html.sections import SECTIONS

DIFF = rich()


def test_names_are_unique_and_somebody_asks_for_each():
    names = [field.name for field in FIELDS]
    assert len(names) == len(set(names))
    assert all(field.pccp or field.ai_act or field.hti1 for field in FIELDS)


@pytest.mark.parametrize("part", [DESCRIPTION, DATA, TRAINING, EVALUATION, UPDATE, IMPACT])
def test_every_part_of_a_change_control_plan_has_a_field(part):
    assert any(field.pccp == part for field in FIELDS)


@pytest.mark.parametrize("point", ["2(f)", "3", "4", "6", "9"])
def test_every_point_of_annex_iv_has_a_field(point):
    assert any(point in field.ai_act.split(", ") for field in FIELDS)


def test_every_source_attribute_of_hti_1_has_a_field():
    asked = {attribute.split("(")[0] for field in FIELDS for attribute in field.hti1.split(", ") if attribute}
    assert asked == set("123456789")


def test_what_the_difference_has_is_no_gap():
    missing = {field.name for field in gaps(DIFF)}
    assert "Funding" in missing
    assert not {"What changed, and why", "Intended use", "Performance by subgroup"} & missing
    assert {field.name for field in FIELDS if field.where == "people"} <= missing
    assert "Performance by subgroup" in {field.name for field in gaps(build(original=FULL, revised=CLOSE))}


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("What it is", "description"),
        ("Developer", "authors"),
        ("Intended use", "intended_use"),
        ("Input data", "data_type"),
        ("Source of the training data", "data_source"),
    ],
)
def test_what_the_bundle_says_stands_in_the_section_that_the_table_names(name, key):
    (field,) = [one for one in FIELDS if one.name == name]
    diff = {**DIFF, "bundle": {**DIFF["bundle"], key: "Planted words"}}
    assert field.found(diff) == "Planted words"
    section = SECTIONS[int(field.where) - 1]
    page = to_html(diff)
    begin = page.index(f'<section id="{section.name}"')
    assert "Planted words" in page[begin : page.index("</section>", begin)]


def test_contents_are_sentences():
    for field in FIELDS:
        if content := field.found(DIFF):
            assert content[0].isupper() or content[0].isdigit()
