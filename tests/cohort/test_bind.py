from __future__ import annotations

import pytest
from cohort_index import make_spec

from monai_unlearn.cohort import parse
from monai_unlearn.cohort.bind import Bound, bind
from monai_unlearn.cohort.predicate import Comparison, Field, Operator, Value
from monai_unlearn.errors import SpecError
from monai_unlearn.fields import Kind

COLUMNS = {
    "patient": Kind.TEXT,
    "ManufacturerModelName": Kind.TEXT,
    "PatientAge": Kind.AGE,
    "StudyDate": Kind.DATE,
    "AcquisitionDateTime": Kind.DATETIME,
    "vpf": Kind.NUMBER,
}


def _bind(text, columns=COLUMNS):
    return bind([parse(text)], columns, name="s.yaml", listing="See the list")


def test_a_column_is_itself_and_an_alias_what_the_index_has_of_it():
    assert _bind("vpf > 1 and acquired < 2019-01-01") == {
        "vpf": Bound((("vpf", Kind.NUMBER),), Kind.NUMBER),
        "acquired": Bound((("AcquisitionDateTime", Kind.DATETIME), ("StudyDate", Kind.DATE)), Kind.DATE),
    }


def test_a_column_wins_over_an_alias_of_its_name():
    assert _bind("age > 1", {**COLUMNS, "age": Kind.NUMBER})["age"].columns == (("age", Kind.NUMBER),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("devise == x", r"unknown field 'devise'\. Did you mean 'device'\? See the list\."),
        ("vpff > 1", r"unknown field 'vpff'\. Did you mean 'vpf'\?"),
        ("zzz == 1", r"unknown field 'zzz'\. See the list\."),
        # An alias that this index has nothing for is not offered.
        ("stations == 1", r"unknown field 'stations'\. See the list\."),
        ("station == 1", r"'station' stands for StationName, which this index does not have\."),
        ("laterality == L", r"'laterality' stands for ImageLaterality or Laterality, which this index does not have\."),
        ("StationName == 1", r"'StationName' is a DICOM keyword that this index does not have\."),
        ("exists(devise)", r"unknown field 'devise'"),
        ("device < x", r"'device' holds text, which has no order: expected ==, != or in, got <\."),
        ("age > sixty", r"'age' holds ages in years: expected a number of years such as 60 or 0\.5, got 'sixty'\."),
        ("vpf in [1, x]", r"'vpf' holds numbers: expected a number such as 3 or 0\.5, got 'x'\."),
        ("acquired == 2019", r"'acquired' holds dates: expected a date such as 2019-01-31, got '2019'\."),
    ],
)
def test_what_does_not_fit_the_index(text, message):
    with pytest.raises(SpecError, match=message):
        _bind(text)


def test_all_faults_come_at_once_each_under_its_caret():
    with pytest.raises(SpecError, match="2 faults") as caught:
        _bind("devise == x and age > sixty and devise == y")
    assert str(caught.value).splitlines()[-1] == "      |                       ^^^^^"


def test_a_fault_stands_at_its_line_in_the_file():
    spec = make_spec("\n  - vpf > 1\n  - age > sixty")
    with pytest.raises(SpecError, match=r"^test\.yaml:6:11: 'age' holds ages") as caught:
        bind([spec.forget], COLUMNS, name=spec.source, listing="See")
    assert str(caught.value).splitlines()[1:] == ["    6 |   - age > sixty", "      |           ^^^^^"]


def test_columns_of_different_kinds_are_not_one_field():
    with pytest.raises(SpecError, match="values of different kinds"):
        _bind("acquired == x", {"AcquisitionDate": Kind.TEXT, "StudyDate": Kind.DATE})


def test_a_misspelt_field_is_shown_without_the_identifiers_after_it():
    with pytest.raises(SpecError, match=r"unknown field 'patients'\. Did you mean 'patient'\?") as caught:
        _bind("vpf > 1 and patients in [P17, P18]")
    assert str(caught.value).splitlines()[1:] == ["    1 |             patients", "      |             ^^^^^^^^"]


def test_a_predicate_built_in_code_has_a_message_too():
    node = Comparison(Field("devise"), Operator.EQUAL, Value("x"))
    with pytest.raises(SpecError, match="unknown field 'devise'"):
        bind([node], COLUMNS, name="s", listing="See")


def test_an_identifier_is_not_repeated_where_it_does_not_fit():
    with pytest.raises(SpecError, match=r"expected a number such as 3 or 0\.5, got this text\.$") as caught:
        _bind("patient_id == P17 and vpf > 1", {"patient_id": Kind.NUMBER, "vpf": Kind.NUMBER})
    assert "P17" not in str(caught.value)
