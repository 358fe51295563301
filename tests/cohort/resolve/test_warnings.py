from __future__ import annotations

import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.vocabulary.fields import Kind

KINDS = {"device": Kind.TEXT, "diagnosis": Kind.TEXT}


@pytest.fixture
def index(tmp_path):
    columns = {
        "device": ["old", "new", "new", "new", None],
        "diagnosis": ["2nd", "x", "x", "x", "x"],
        "patient": ["p", "p", None, "q", "r"],
    }
    return make_index(tmp_path / "index", columns, KINDS, label="diagnosis")


def test_warnings_have_a_form_without_counts(index):
    assert [(one.text, one.uncounted) for one in make_spec("device == old").resolve(index).notices] == [
        (
            "1 image is undetermined and used for neither part.",
            "… images are undetermined and used for neither part.",
        ),
        (
            "1 patient has images in the forget part and in the remain part.",
            "… patients have images in the forget part and in the remain part.",
        ),
        (
            "1 image of the remain part names no patient, and may belong to a patient who is forgotten.",
            "… images of the remain part name no patient, and may belong to a patient who is forgotten.",
        ),
        ("The class 2nd has no image left in the remain part.", None),
    ]


def test_a_cohort_without_anything_to_look_at_twice_has_no_warnings(index):
    assert make_spec("patient == q", "population: exists(patient)").resolve(index).notices == ()


def test_a_sample_that_is_too_large_or_breaks_the_scope_is_a_warning(index):
    cohort = make_spec("device == old", "sample: {count: 5}\nscope: study\n").resolve(index)
    assert "The sample asks for 5 (image), but the rules select only 1." in cohort.preview()["warnings"]
    assert (
        "The sample by image may split a study between parts, although the scope keeps it together."
        in cohort.preview()["warnings"]
    )


def test_a_class_name_cannot_break_a_line(tmp_path):
    columns = {"device": ["old", "new"], "diagnosis": ["a\nb", "c"]}
    index = make_index(tmp_path / "index", columns, KINDS, label="diagnosis")
    assert make_spec("device == old").resolve(index).preview()["warnings"] == [
        "The class a<U+000A>b has no image left in the remain part."
    ]


@pytest.mark.parametrize(("scope", "is_reported"), [("patient", True), ("study", False), ("image", False)])
def test_images_that_stay_behind_in_a_study_are_reported_for_a_scope(scope, is_reported, tmp_path):
    columns = {"device": ["old", "new", "new", "new"], "study": ["1", "1", "1", "2"], "patient": ["p", "p", "q", "r"]}
    index = make_index(tmp_path / "index", columns, {"device": Kind.TEXT})
    warnings = make_spec("device == old", f"scope: {scope}\n").resolve(index).preview()["warnings"]
    text = "1 image stays behind in studies from which other images are forgotten."
    assert (text in warnings) is is_reported


def test_images_outside_the_population_stay_behind_too(tmp_path):
    columns = {"device": ["old", "new", "new", "new"], "study": ["1", "1", "2", "3"], "site": ["a", "b", "a", "a"]}
    index = make_index(tmp_path / "index", columns, {"device": Kind.TEXT, "site": Kind.TEXT})
    cohort = make_spec("device == old", "scope: study\npopulation: site == a\n").resolve(index)
    assert cohort.counts.staying_in_study == 1
    assert "1 image stays behind in studies from which other images are forgotten." in cohort.warnings
