from __future__ import annotations

import pytest
from cohort_index import make_spec

from monai_unlearn.cohort import parse
from monai_unlearn.cohort.language.node import Value
from monai_unlearn.cohort.language.predicate import Comparison, Operator
from monai_unlearn.cohort.language.term import Field
from monai_unlearn.cohort.typing.bind import Columns, bind
from monai_unlearn.cohort.typing.bound import Bound
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
        ("odd-name == 1", r"unknown field 'odd'\. .* stands in backquotes: `odd-name`\."),
        ("vpf ~= x", r"'vpf' holds numbers: ~= asks of text\."),
        ("vpf contains x", r"'vpf' holds numbers: contains asks of text\."),
        ("age matches /x/", r"'age' holds ages in years: matches asks of text\."),
        ("device matches /(/", r"no regular expression of RE2's kind: missing \): \("),
        ("device between a and b", r"'device' holds text, which has no order"),
        ("vpf between 3 and 2", r"expected the smaller value first"),
        ("vpf within 3 days of 2018-01-01", r"'vpf' holds numbers: 'within … days' asks of a date\."),
        ("acquired within 3 days of vpf", r"'vpf' holds numbers: expected a date\."),
        ("any(vpf) == 3", r"'vpf' has one value an image: any\(\) asks of texts only"),
        ("device * 2 > 3", r"'device' holds text, with which nothing can be computed"),
        ("year(vpf) == 2015", r"year\(\) takes a date, got numbers"),
        ("vpf + age > 3", r"in year, of the other nobody has declared the unit\. .*--unit COLUMN=UNIT"),
        ("vpf > 11 mm", r"'vpf' has no unit, so that mm cannot be converted to it\."),
        ("age > 3 mm", r"'age' is in year: mm cannot be converted to year"),
        ("vpf * 2 foo > 3", r"'foo' is no unit that is known"),
        ("vpf in @lost", r"there is no 'lost' under value_sets\. Did you mean 'list'\?"),
        (
            "vpf in @list",
            r"expected a number such as 3 or 0\.5 for each value of '@list', got something else for value 2",
        ),
        ("device == @list", r"'@list' has several values, of which none is meant more: write 'in'\."),
        ("device < x", r"'device' holds text, which has no order: expected ==, != or in, got <\."),
        ("age > sixty", r"'age' holds ages in years: expected a number of years such as 60 or 0\.5, got 'sixty'\."),
        ("vpf in [1, x]", r"'vpf' holds numbers: expected a number such as 3 or 0\.5, got 'x'\."),
        ("acquired == 2019", r"'acquired' holds dates: expected a date such as 2019-01-31, got '2019'\."),
    ],
)
def test_what_does_not_fit_the_index(text, message):
    with pytest.raises(SpecError, match=message):
        _bind(text, {**COLUMNS, "odd-name": Kind.TEXT}, list=["1", "x"])


def test_a_field_on_the_right_is_told_where_it_belongs():
    with pytest.raises(SpecError, match=r"got 'age'\. 'age' is a field: subtract it on the left side"):
        _bind("vpf > age or age > 3")


def test_units_are_converted_where_they_are_declared():
    bound = _bind("vpf > 1.1 cm", units={"vpf": "mm"})
    assert bound["vpf"].unit == (("mm", 1),)
    with pytest.raises(SpecError, match=r"'vpf' is in mm: ml cannot be converted to mm"):
        _bind("vpf > 3 ml", units={"vpf": "mm"})
    with pytest.raises(SpecError, match=r"'vpf \* vpf' is in mm\^2: mm cannot be converted to mm\^2"):
        _bind("vpf * vpf > 3 mm", units={"vpf": "mm"})


def test_all_faults_come_at_once_each_under_its_caret():
    with pytest.raises(SpecError, match="2 faults") as caught:
        _bind("devise == x and age > sixty and devise == y")
    assert str(caught.value).splitlines()[-1] == "      |                       ^^^^^"


def test_a_fault_stands_at_its_line_in_the_file():
    spec = make_spec("\n  - age > 1\n  - vpf > sixty")
    with pytest.raises(SpecError, match=r"^test\.yaml:6:11: 'vpf' holds numbers") as caught:
        bind([spec.forget], Columns(COLUMNS, {}, "See"), name=spec.source)
    assert str(caught.value).splitlines()[1:] == ["    6 |   - vpf > sixty", "      |           ^^^^^"]


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
        bind([node], Columns(COLUMNS, {}, "See"), name="s")


def test_an_identifier_is_not_repeated_where_it_does_not_fit():
    with pytest.raises(SpecError, match=r"expected a number such as 3 or 0\.5, got this text\.$") as caught:
        _bind("patient_id == P17 and vpf > 1", {"patient_id": Kind.NUMBER, "vpf": Kind.NUMBER})
    assert "P17" not in str(caught.value)
