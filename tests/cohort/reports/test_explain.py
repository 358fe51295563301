from __future__ import annotations

import datetime as dt

import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort.reports.explain import explain
from monai_unlearn.cohort.spec.validate import validate
from monai_unlearn.errors import SpecError
from monai_unlearn.vocabulary.fields import Kind

KINDS = {"ManufacturerModelName": Kind.TEXT, "vpf": Kind.NUMBER, "StudyDate": Kind.DATE, "PatientAge": Kind.AGE}


@pytest.fixture
def index(tmp_path):
    columns = {
        "ManufacturerModelName": ["x", None, "y", ""],
        "vpf": [1.0, 2.0, None, 4.0],
        "StudyDate": [dt.date(2018, 1, 1), None, None, None],
        "PatientAge": [60.0, 61.0, 62.0, None],
        "fault": [None, None, None, "truncated"],
    }
    return make_index(tmp_path / "index", columns, KINDS, units={"vpf": "mm"})


def test_fields_say_where_they_come_from_and_how_many_images_lack_them(index):
    found = explain(make_spec("device == x and zscore(vpf) > 1 mm".replace(" mm", "") + " and age > 3"), index)
    assert found["fields"] == [
        {"field": "device", "columns": ["ManufacturerModelName"], "kind": "text", "unit": None, "origin": [None],
         "images": 3, "missing": 1},
        {"field": "vpf", "columns": ["vpf"], "kind": "number", "unit": "mm", "origin": [None],
         "images": 3, "missing": 1},
        {"field": "age", "columns": ["PatientAge"], "kind": "age", "unit": "year", "origin": [None],
         "images": 3, "missing": 0},
    ]  # fmt: skip
    assert found["sql"]["statement"].count("?") == len(found["sql"]["parameters"]) + 1  # the index's parts
    assert "x" in found["sql"]["parameters"]


def test_identifiers_are_no_part_of_an_explanation(index):
    found = explain(make_spec("patient in [p01, p02] and patient != p03"), index)
    assert "p01" not in str(found)
    assert "p03" not in str(found)


def test_without_an_index_there_are_words_alone():
    found = explain(
        make_spec("vpff > 3", "population: device == x\nscope: patient\nsample: {count: 3}\nunknown: fail\n")
    )
    assert (found["sql"], found["fields"]) == (None, None)
    assert found["population"]["text"] == "device is “x”"
    assert found["names"] == {"device": ["ManufacturerModelName"]}
    assert found["then"] == [
        "An image for which it does not hold remains.",
        "An image of which it cannot be said, because a value is missing, stops everything: there must be none.",
        "Forgetting one image forgets all images of its patient.",
        "Of what is caught, 3 is drawn by image (seed 0); the rest remains.",
    ]


def test_a_field_that_the_index_lacks_is_an_error(index):
    with pytest.raises(SpecError, match="unknown field 'vpff'"):
        explain(make_spec("vpff > 3"), index)


def test_validate_names_the_columns_that_an_index_must_have():
    found = validate(make_spec("devise == x and device == y and patient == z"))
    assert found["fields"] == ["device", "devise", "patient"]
    assert found["columns_needed"] == ["devise"]
    assert found["notes"] == [
        "'devise' is no DICOM keyword: the index must have a column of this name. Did you mean 'device'?"
    ]
    assert found["rules"] == ["devise == x", "device == y", "patient == …"]


@pytest.mark.parametrize(
    ("forget", "message"),
    [
        ("device < 3", r"test\.yaml:4:9: 'device' holds text, which has no order"),
        ("SliceThickness > 3 ml", r"'SliceThickness' is in mm: ml cannot be converted to mm"),
        ("vpf in @lost", r"there is no 'lost' under value_sets"),
    ],
)
def test_what_needs_no_index_to_be_wrong(forget, message):
    with pytest.raises(SpecError, match=message):
        make_spec(forget)


def test_a_population_cannot_be_chosen_by_what_is_computed_of_it():
    with pytest.raises(SpecError, match=r"zscore is computed of the population"):
        make_spec("device == x", "population: zscore(vpf) < 3\n")


def test_doubt_spreads_with_the_scope():
    found = explain(make_spec("device == x", "scope: study\n"))
    assert "Where none is forgotten but one is undetermined, so are all images of its study." in found["then"]
