from __future__ import annotations

import datetime as dt

import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort.reports.explain import explain
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


def test_fields_show_where_they_come_from_and_how_many_images_lack_them(index):
    found = explain(make_spec("device == x and zscore(vpf) > 1 mm".replace(" mm", "") + " and age > 3"), index)
    assert found["fields"] == [
        {"field": "device", "columns": ["ManufacturerModelName"], "kind": "text", "unit": None, "origin": [None],
         "images": 3, "missing": 1, "in_doubt": 0, "several": 0},
        {"field": "vpf", "columns": ["vpf"], "kind": "number", "unit": "mm", "origin": [None],
         "images": 3, "missing": 1, "in_doubt": 0, "several": 0},
        {"field": "age", "columns": ["PatientAge"], "kind": "age", "unit": "year", "origin": [None],
         "images": 3, "missing": 0, "in_doubt": 0, "several": 0},
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
        "An image for which this does not hold remains.",
        "An image for which this is unknown, because a value is missing, stops the run: there must be no such image.",
        "Forgetting one image forgets all images of its patient.",
        "Of the selected images, 3 are drawn (seed 0); the others remain.",
    ]


def test_a_field_that_the_index_lacks_is_an_error(index):
    with pytest.raises(SpecError, match="unknown field 'vpff'"):
        explain(make_spec("vpff > 3"), index)


def test_one_undetermined_image_makes_all_of_its_scope_undetermined():
    found = explain(make_spec("device == x", "scope: study\n"))
    assert "If no image of a study is forgotten but one is undetermined, all of them are undetermined." in found["then"]


def test_words_say_what_happens_to_dates_and_ages_in_doubt():
    then = " ".join(explain(make_spec("acquired < 2019-01-01 and PatientAge < 18"))["then"])
    assert (
        "A date of 1900-01-01 or before, or after the day on which the index was built, is implausible: it is unknown"
        in then
    )
    assert "An invalid date is unknown, and no other tag takes its place." in then
    assert "An age of 000Y, or of 120 years or more, is implausible: it is unknown (implausible: unknown)." in then
    kept = " ".join(explain(make_spec("PatientAge < 18", "implausible: keep"))["then"])
    assert "it counts as what it says (implausible: keep)" in kept
    assert "date" not in kept
    assert "implausible" not in " ".join(explain(make_spec("device == x"))["then"])


def test_an_index_says_how_many_values_are_in_doubt(tmp_path):
    columns = {
        "StudyDate": [dt.date(2018, 1, 1), dt.date(1900, 1, 1), None, None, None],
        "invalid": [None, None, "StudyDate", None, None],
        "partial": [None, None, None, "StudyDate=2018-06-01/2018-06-30", None],
        "fault": [None, "implausible_date", "invalid_date", "partial_date", None],
    }
    index = make_index(tmp_path / "doubts", columns, {"StudyDate": Kind.DATE})
    found = explain(make_spec("studied < 2019-01-01"), index)
    assert [(field["missing"], field["in_doubt"]) for field in found["fields"]] == [(1, 3)]
    assert found["notes"] == {"invalid_date": 1, "partial_date": 1, "implausible_date": 1}
    kept = explain(make_spec("studied < 2019-01-01", "implausible: keep"), index)
    assert kept["fields"][0]["in_doubt"] == 2


def test_an_index_says_how_many_images_have_several_values(tmp_path):
    columns = {
        "SliceThickness": [None, 3.0, None, None],
        "ImageType": ["ORIGINAL\\PRIMARY", "DERIVED", "A\\B", None],
        "several_values": ["SliceThickness=2.5/5.0", None, None, None],
        "invalid": [None, None, "SliceThickness", None],
        "fault": ["several_numbers", None, "invalid_number", None],
    }
    index = make_index(tmp_path / "several", columns, {"SliceThickness": Kind.NUMBER, "ImageType": Kind.TEXT})
    found = explain(make_spec("mad_z(SliceThickness) > 1 and any(ImageType) == A"), index)
    counts = [(field["missing"], field["in_doubt"], field["several"]) for field in found["fields"]]
    assert counts == [(1, 1, 1), (1, 0, 2)]
    assert found["notes"]["several_numbers"] == 1
