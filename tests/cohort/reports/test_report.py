from __future__ import annotations

import io

import pytest
from cohort_index import make_index, make_spec
from rich.console import Console

from monai_unlearn.cohort.reports.compare import compare, suppress_comparison
from monai_unlearn.cohort.reports.recheck import recheck
from monai_unlearn.cohort.reports.report import show, show_comparison, show_recheck
from monai_unlearn.cohort.resolve.frozen import Frozen
from monai_unlearn.vocabulary.fields import Kind


@pytest.mark.parametrize("label", ["diagnosis", None])
def test_every_count_is_printed_and_markup_is_shown_as_text(tmp_path, label):
    columns = {"device": ["[b]", "new", None] * 1000, "diagnosis": ["[red]", "x", "x"] * 1000}
    kinds = {"device": Kind.TEXT, "diagnosis": Kind.TEXT}
    cohort = make_spec("device in ['[b]', '[/b]']").resolve(make_index(tmp_path / "i", columns, kinds, label=label))
    stream = io.StringIO()
    show(cohort.preview(), Console(file=stream, width=100))
    text = stream.getvalue()
    assert "Cohort test (other)" in text
    assert "device in ['[b]', '[/b]']" in text
    assert "1,000" in text
    assert ("[red]" in text) == (label is not None)
    assert "Note: 1,000 images are undetermined" in text


KINDS = {"device": Kind.TEXT, "patient": Kind.TEXT}


def _shown(show, document):
    stream = io.StringIO()
    show(document, Console(file=stream, width=100))
    return stream.getvalue()


@pytest.fixture
def index(tmp_path):
    return make_index(tmp_path / "i", {"device": ["[b]old"] * 3 + ["new"] * 4 + [None]}, KINDS)


def test_a_comparison_shows_what_moves_and_which_differences_in_the_specs_cause_it(index):
    first = make_spec("device == '[b]old' and patient != p07")
    second = make_spec("[device == new, patient != p07]", "scope: patient\nexpect: {images: {min: 99}}\n")
    found = compare(first, second, index, listed=True)
    text = _shown(show_comparison, found)
    assert text.startswith("7 images of 7 patients move.")
    for part in ("Rules of both specs:", "Rules of A only:\n  device == '[b]old'", "Rules of B only:\n  device == new"):
        assert part in text
    assert " ".join(text.split()).count("expect.images.min") == 1
    assert "(not given)" in text
    assert "The guards refuse B:\ntest.yaml: expected at least 99 images" in text
    assert "From forget to remain: 3 images\ni00\ni01\ni02\n" in text


def test_equal_specs_and_differences_that_are_not_shown_are_said_to_be_so(index):
    spec = make_spec("patient in [p00]")
    same = _shown(show_comparison, compare(spec, spec, index))
    assert "No image moves." in same
    assert "The specs are equal." in same
    other = _shown(show_comparison, compare(spec, make_spec("patient in [p01]"), index))
    assert "2 images of 2 patients move." in other
    assert "the rules differ in values that are not shown" in other


def test_patients_are_left_out_where_nobody_counted_them(index):
    frozen = [Frozen.of(make_spec(rule).resolve(index)) for rule in ("device == new", "patient in [p01]")]
    text = _shown(show_comparison, compare(*frozen, None))
    assert text.startswith(f"{compare(*frozen, None)['moved']['images']} images move.")
    assert "Patients: where they are" not in text


def test_suppressed_counts_are_explained(index):
    document = suppress_comparison(compare(make_spec("device == new"), make_spec("patient == p00"), index), below=5)
    text = " ".join(_shown(show_comparison, document).split())
    assert "Counts from 1 to 4 are shown as <5; 'hidden' counts would give one of those away." in text


@pytest.mark.parametrize("holds", [True, False])
def test_a_recheck_shows_whether_the_cohort_holds_and_where_images_went(index, tmp_path, holds):
    frozen = Frozen.of(make_spec("device == new", "expect: {images: {min: 4}}\n").resolve(index))
    devices = ["old"] * 3 + ["new"] * 4 + [None] if holds else ["new"] * 3 + ["old"] * 5
    now = make_index(tmp_path / "now", {"device": devices}, KINDS)
    text = _shown(show_recheck, recheck(frozen, now, listed=True))
    assert text.startswith("The frozen cohort test " + ("holds." if holds else "no longer holds."))
    assert "Note: The content of the index has changed." in text
    assert ("was: forget" in text) == (not holds)
    assert ("Joined the forget part: 3 images\ni00\ni01\ni02\n" in text) == (not holds)
    assert ("expected at least 4 images in the forget part" in text) == (not holds)
