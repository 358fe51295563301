from __future__ import annotations

import pytest
from cohort_index import make_index

from monai_unlearn.cohort.reports.complete import MOST, complete
from monai_unlearn.vocabulary.fields import Kind

HEAD = "schema_version: 1\nname: test\n"


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    columns = {
        "ManufacturerModelName": ["Cirrus 800 FA", "Cirrus 800 FA", "black and white", None],
        "OperatorsName": ["Doe", "Doe", "Roe", None],
    }
    kinds = dict.fromkeys(columns, Kind.TEXT)
    return make_index(tmp_path_factory.mktemp("complete") / "index", columns, kinds)


def texts(text, index, *, before=""):
    found = complete(before + text, len(before + text), index)
    return [one.text for one in found]


def test_keys_of_the_spec_are_suggested_at_the_beginning_of_a_line(index):
    assert texts("rea", index, before=HEAD) == ["reason: "]
    assert "forget: " in texts("", index)


def test_choices_are_suggested_behind_their_key(index):
    assert texts("reason: dev", index, before=HEAD) == ["device_deprecation"]
    assert texts("scope: ", index, before=HEAD) == ["image", "series", "study", "patient"]


@pytest.mark.parametrize("line", ["forget: dev", "forget:\n  - dev", "forget:\n  any:\n    - not: dev"])
def test_fields_are_suggested_within_a_rule(index, line):
    assert texts(line, index, before=HEAD)[0] == "device"


@pytest.mark.parametrize("line", ["forget: device == ", "forget: device in [", "forget: device in [Old, "])
def test_values_are_suggested_with_their_counts_as_the_language_writes_them(index, line):
    found = complete(line, len(line), index)
    assert [(one.text, one.detail) for one in found] == [
        ("Cirrus 800 FA", "2 images"),
        ("'black and white'", "1 image"),
    ]


def test_a_value_is_found_by_a_part_of_it_and_replaces_what_was_typed(index):
    line = "forget: device == cirrus8"
    (found,) = complete(line, len(line), index)
    assert line[: found.start] + found.text == "forget: device == Cirrus 800 FA"


@pytest.mark.parametrize("typed", ["Cirus 800", "cirrsu", "Cirrus-80O", "Cirruss"])
def test_a_slip_of_the_fingers_still_finds_a_value(index, typed):
    assert texts(f"forget: device == {typed}", index)[0] == "Cirrus 800 FA"


def test_what_is_spelled_otherwise_or_too_short_finds_nothing(index):
    assert texts("forget: device == cxr", index) == []
    assert texts("forget: device == Spectralis", index) == []


def test_the_end_of_a_long_line_is_read(index):
    """The whole would take the square of its length: an attacker's line stopped a server for minutes."""
    line = f"forget: {'a' * 30_000}.b and device == cirrus8"
    (found,) = complete(line, len(line), index)
    assert line[: found.start].endswith("device == ")
    for long in ("a" * 200_000 + "-", "a in [" * 30_000, " " * 200_000 + "x", "`" * 200_000, "'a," * 60_000):
        assert complete(f"forget: {long}", 10**9, index) is not None
        assert complete(long, 10**9, index) is not None


@pytest.mark.parametrize("field", ["OperatorsName", "patient", "image_id"])
def test_values_of_a_field_that_may_identify_somebody_are_never_suggested(index, field):
    assert not set(texts(f"forget: {field} == ", index)) & {"Doe", "Roe", "p00", "i00"}


@pytest.mark.parametrize("text", ["", "\n", "forget: (((", "forget: `", "forget: device in ['", "\x00", "ä: "])
def test_any_text_and_any_place_has_an_answer(index, text):
    for cursor in (-5, 0, len(text), 10**9):
        assert len(complete(text, cursor, index)) <= MOST


def test_without_an_index_keys_alone_are_suggested():
    assert texts("forget: dev", None) == []
    assert texts("unk", None) == ["unknown: "]
