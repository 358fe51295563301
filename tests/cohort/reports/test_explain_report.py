from __future__ import annotations

import datetime as dt
import io

from cohort_index import make_index, make_spec
from rich.console import Console

from monai_unlearn.cohort.reports.explain import explain
from monai_unlearn.cohort.reports.explain_report import show_explanation, show_validation
from monai_unlearn.cohort.spec.validate import validate
from monai_unlearn.vocabulary.fields import Kind


def _shown(show, found):
    console = Console(file=io.StringIO(), width=100)
    show(found, console)
    return console.file.getvalue()


def test_an_explanation_goes_from_words_to_sql(tmp_path):
    index = make_index(tmp_path / "index", {"vpf": [1.0, None]}, {"vpf": Kind.NUMBER})
    spec = make_spec(
        "\n  - zscore(vpf) > 1\n  - any: [vpf in @odd, vpf > 3]", "value_sets: {odd: [1, 3]}\npopulation: exists(vpf)\n"
    )
    text = _shown(show_explanation, explain(spec, index))
    places = [
        text.index(part)
        for part in (
            "The cohort is about the images for which this holds",
            "vpf is recorded",
            "1. the z-score of vpf among images of the cohort is more than 1",
            "2. at least one of these holds:",
            "       vpf is more than 3",
            "zscore is how many standard deviations",
            "@odd lists 2 values.",
            "1 (50%)",
            "read_parquet(?)",
        )
    ]
    assert places == sorted(places)


def test_how_texts_are_compared_and_what_an_age_is_made_of(tmp_path):
    columns = {"device": ["A 1", "A  1", "a1"], "PatientBirthDate": [dt.date(2000, 1, 1)] * 3, "StudyDate": [None] * 3}
    kinds = {"device": Kind.TEXT, "PatientBirthDate": Kind.DATE, "StudyDate": Kind.DATE}
    index = make_index(tmp_path / "more", columns, kinds)
    text = " ".join(_shown(show_explanation, explain(make_spec("device == A 1 and age > 3"), index)).split())
    assert "Compared with runs of white space as one space, and every kind of dash as -: device with “A 1”." in text
    assert "Other spellings of “A 1” (device): “A␣␣1” (1 image, taken as equal), “a1” (1 image, not taken as" in text
    assert "the time from PatientBirthDate to StudyDate" in text


def test_a_valid_spec_shows_its_rules_and_what_the_index_must_have():
    text = _shown(show_validation, validate(make_spec("[vpf > 3, device == x]")))
    assert "forget if vpf > 3" in text
    assert "and if    device == x" in text
    assert "Note: 'vpf' is not a DICOM keyword" in text


def test_several_values_are_counted_where_there_are_any(tmp_path):
    kinds = {"SliceThickness": Kind.NUMBER}
    index = make_index(tmp_path / "one", {"SliceThickness": [2.0, 1.0]}, kinds)
    assert "┃ several ┃" not in _shown(show_explanation, explain(make_spec("SliceThickness == 2"), index))
    columns = {"SliceThickness": [None, 2.0], "several_values": ["SliceThickness=1.0/2.0", None]}
    index = make_index(tmp_path / "more", columns, kinds)
    text = _shown(show_explanation, explain(make_spec("SliceThickness == 2"), index))
    (row,) = (line for line in text.splitlines() if line.startswith("│ SliceThickness"))
    assert "┃ several ┃" in text
    assert [cell.strip() for cell in row.strip("│").split("│")][-3:] == ["0 (0%)", "0", "1"]
