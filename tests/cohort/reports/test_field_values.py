from __future__ import annotations

import pytest
from cohort_index import make_index

from monai_unlearn.cohort.reports.field_values import field_names, field_values
from monai_unlearn.vocabulary.fields import Kind

COLUMNS = {
    "ManufacturerModelName": ["Old", "Old", "New", None],
    "OperatorsName": ["Doe", "Doe", "Roe", None],
    "PatientAge": [60.0, 61.0, None, 2.0],
}
KINDS = {"ManufacturerModelName": Kind.TEXT, "OperatorsName": Kind.TEXT, "PatientAge": Kind.AGE}


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return make_index(tmp_path_factory.mktemp("values") / "index", COLUMNS, KINDS)


@pytest.mark.parametrize("name", ["device", "ManufacturerModelName"])
def test_values_are_counted_the_most_frequent_first(index, name):
    assert list(field_values(index, name).items()) == [("Old", 2), ("New", 1)]


@pytest.mark.parametrize("name", ["OperatorsName", "patient", "image_id", "path", "PatientAge", "nothing", "`", ""])
def test_what_may_identify_somebody_or_is_no_text_has_none(index, name):
    assert field_values(index, name) == {}


def test_fields_are_aliases_and_columns_each_with_what_it_is(index):
    names = field_names(index)
    assert names["device"] == "alias of ManufacturerModelName"
    assert names["PatientAge"] == "age"
    assert "acquired" not in names
