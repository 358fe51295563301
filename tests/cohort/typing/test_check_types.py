from __future__ import annotations

import pytest

from monai_unlearn.cohort import parse
from monai_unlearn.cohort.language.predicate import Predicate
from monai_unlearn.cohort.typing.bind import bind
from monai_unlearn.cohort.typing.check_types import TypeChecker
from monai_unlearn.cohort.typing.columns import Columns
from monai_unlearn.errors import SpecError
from monai_unlearn.vocabulary.fields import Kind

COLUMNS = {
    "patient": Kind.TEXT,
    "ManufacturerModelName": Kind.TEXT,
    "PatientAge": Kind.AGE,
    "StudyDate": Kind.DATE,
    "AcquisitionDateTime": Kind.DATETIME,
    "vpf": Kind.NUMBER,
}


def _bind(text, columns=COLUMNS, units=None, **value_sets):
    return bind([parse(text)], Columns(columns, units or {}, "See the list"), name="s.yaml", value_sets=value_sets)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("vpf ~= x", r"'vpf' holds numbers: ~= needs text\."),
        ("vpf contains x", r"'vpf' holds numbers: contains needs text\."),
        ("age matches /x/", r"'age' holds ages in years: matches needs text\."),
        ("device matches /(/", r"not a valid regular expression \(RE2\): missing \): \("),
        ("device < x", r"'device' holds text, which has no order: expected ==, != or in, got <\."),
        ("device < 3", r"'device' holds text, which has no order: expected ==, != or in, got <\."),
        ("patient < 6.1", r"'patient' holds text: < compares whole numbers .*For versions, write version\(patient\)"),
        ("patient between 1 and -2", r"'patient' holds text: between compares whole numbers"),
        ("patient between CR-1 and MR-2", r"expected two values of one pattern"),
        ("patient between CR-2 and CR-1", r"expected the smaller value first"),
        ("version(vpf) < 3", r"version\(\) takes a field of text, got numbers"),
        ("version(version(device)) < 3", r"version\(\) takes a field of text, got something computed"),
        ("version(device) < new", r"expected a version such as 6\.1, got 'new'"),
        ("version(device) contains 6", r"contains needs a field of text, got what version\(\) makes of it"),
        ("vpf like x", r"'vpf' holds numbers: like needs text\."),
        ("acquired < 31.01.2019", r"'\. Write the year first: 2019-01-31\."),
        ("device between a and b", r"'device' holds text, which has no order"),
        ("vpf between 3 and 2", r"expected the smaller value first"),
        ("acquired between 2019-01-01 and 2018-12-31", r"expected the smaller value first"),
        ("vpf within 3 days of 2018-01-01", r"'vpf' holds numbers: 'within … days' needs a date\."),
        ("acquired within 3 days of vpf", r"'vpf' holds numbers: expected a date\."),
        ("acquired within 3 days of @list", r"expected a date such as 2019-01-31 for each value of '@list'"),
        ("vpf in @lost", r"there is no 'lost' under value_sets\. Did you mean 'list'\?"),
        (
            "vpf in @list",
            r"expected a number such as 3 or 0\.5 for each value of '@list', got something else for value 2",
        ),
        ("device == @list", r"'@list' has several values: expected one\. Write 'in' instead\."),
        ("age > sixty", r"'age' holds ages in years: expected a number of years such as 60 or 0\.5, got 'sixty'\."),
        ("vpf in [1, x]", r"'vpf' holds numbers: expected a number such as 3 or 0\.5, got 'x'\."),
        (
            "acquired == 2019",
            r"expected a date such as 2019-01-31, got '2019'\. Write a whole date such as 2019-01-01\.",
        ),
        ("vpf > 11 mm", r"'vpf' has no declared unit, so mm cannot be converted to it\."),
        ("age > 3 mm", r"'age' is in year: mm cannot be converted to year"),
        # A fault of the term is a fault of the condition.
        ("device * 2 > 3", r"'device' holds text, which cannot be used in arithmetic\."),
    ],
)
def test_a_value_that_does_not_fit_its_term(text, message):
    with pytest.raises(SpecError, match=message):
        _bind(text, list=["1", "x"])


@pytest.mark.parametrize(
    "text",
    [
        "vpf between 2 and 2",
        "patient between 0004000 and 5000 and patient < CR-17",
        "version(device) between 6 and 6.1.2 and version(device) in @numbers",
        "acquired within 3 days of StudyDate",
        "vpf in @numbers and device in @numbers",
        "not (exists(device) or missing(vpf)) and age > 18 months",
    ],
)
def test_values_that_fit(text):
    assert _bind(text, numbers=["1", "2.5"])


def test_a_field_on_the_right_side_belongs_on_the_left():
    with pytest.raises(SpecError, match=r"got 'age'\. 'age' is a field: subtract it on the left side"):
        _bind("vpf > age or age > 3")


def test_an_identifier_that_does_not_fit_is_not_repeated():
    with pytest.raises(SpecError, match=r"expected a number such as 3 or 0\.5, got this text\.$") as caught:
        _bind("patient_id == P17 and vpf > 1", {"patient_id": Kind.NUMBER, "vpf": Kind.NUMBER})
    assert "P17" not in str(caught.value)


def test_a_node_without_a_handler_raises():
    class Strange(Predicate):
        def render(self, **_):
            return "?"

    with pytest.raises(NotImplementedError, match="Strange"):
        TypeChecker({}, {}).check(Strange())
