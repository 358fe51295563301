from __future__ import annotations

import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.column_roles import check_units, label_column, parse_units, tag_units
from monai_unlearn.vocabulary.fields import Kind


@pytest.mark.parametrize(
    ("of_tables", "label"),
    [(["site", "diagnosis"], "diagnosis"), (["label"], "label"), (["site"], None), (["label", "class"], None)],
)
def test_label_is_found_if_one_column_has_its_name(of_tables, label):
    assert label_column(None, ["patient", *of_tables], of_tables=of_tables) == label


def test_requested_label_may_be_any_column_but_must_exist():
    assert label_column("Modality", ["Modality", "label"], of_tables=["label"]) == "Modality"
    with pytest.raises(IndexReadError, match="--label lable: the index has no such column. Did you mean 'label'"):
        label_column("lable", ["Modality", "label"], of_tables=["label"])


def test_units_of_a_command_line_are_parsed():
    assert parse_units(["a = mm", "b=c=ml"]) == {"a": "mm", "b=c": "ml"}
    for text, message in (
        ("a", "--unit a: expected COLUMN=UNIT"),
        ("=mm", "--unit =mm: expected COLUMN=UNIT"),
        ("a=", "--unit a=: expected COLUMN=UNIT"),
        ("a=blorb", "--unit a=blorb: 'blorb' is not a known unit. Write it in UCUM"),
        ("a=degC", "--unit a=degC: 'degC' is an offset unit"),
    ):
        with pytest.raises(IndexReadError, match=message):
            parse_units([text])
    with pytest.raises(IndexReadError, match="the column 'a' already has a unit"):
        parse_units(["a=mm", "a=cm"])


def test_unit_is_for_a_column_of_numbers_of_a_table():
    kinds = {"width": Kind.NUMBER, "site": Kind.TEXT}
    check_units({"width": "mm"}, kinds)
    with pytest.raises(IndexReadError, match="--unit widht=…: no table has this column. Did you mean 'width'"):
        check_units({"widht": "mm"}, kinds)
    with pytest.raises(IndexReadError, match="--unit site=…: expected a column of numbers, got one of kind text"):
        check_units({"site": "mm"}, kinds)


def test_tags_have_the_units_of_the_vocabulary():
    assert tag_units(["SliceThickness", "Modality", "width"]) == {"SliceThickness": "mm"}
