from __future__ import annotations

import pytest
from cohort_index import make_spec

from monai_unlearn.cohort import parse
from monai_unlearn.cohort.language.condition import Comparison, Operator
from monai_unlearn.cohort.language.node import Value
from monai_unlearn.cohort.language.term import Field
from monai_unlearn.cohort.typing.bind import bind, examine
from monai_unlearn.cohort.typing.columns import Bound, Columns
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


def test_a_column_is_itself_and_an_alias_is_the_columns_that_the_index_has():
    assert _bind("vpf > 1 and acquired < 2019-01-01") == {
        "vpf": Bound((("vpf", Kind.NUMBER),), Kind.NUMBER),
        "acquired": Bound((("AcquisitionDateTime", Kind.DATETIME), ("StudyDate", Kind.DATE)), Kind.DATE),
    }


def test_a_column_takes_precedence_over_an_alias_of_its_name():
    assert _bind("age > 1", {**COLUMNS, "age": Kind.NUMBER})["age"].columns == (("age", Kind.NUMBER),)


def test_only_texts_of_dicom_may_be_several():
    bound = _bind("device == x and patient == y")
    assert (bound["device"].many, bound["patient"].many) == (True, False)
    columns = Columns({"OperatorsName": Kind.TEXT, "note": Kind.TEXT}, tags=frozenset({"OperatorsName"}))
    bound = bind([parse("OperatorsName == x or note == y")], columns, name="s.yaml")
    assert (bound["OperatorsName"].many, bound["note"].many) == (True, False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("devise == x", r"unknown field 'devise'\. Did you mean 'device'\? See the list\."),
        ("vpff > 1", r"unknown field 'vpff'\. Did you mean 'vpf'\?"),
        ("zzz == 1", r"unknown field 'zzz'\. See the list\."),
        # An alias that this index has no column for is not suggested.
        ("stations == 1", r"unknown field 'stations'\. See the list\."),
        ("station == 1", r"'station' is an alias for StationName, which this index does not have\."),
        ("laterality == L", r"'laterality' is a column of indexes of DICOM files, which this index does not have"),
        ("StationName == 1", r"'StationName' is a DICOM keyword that this index does not have\."),
        (
            "KVP > 100",
            r"'KVP' is a DICOM tag that this index does not have\. .* index build … --tag KVP\. See the list",
        ),
        ("AnatomicRegionSequence == x", r"--tag AnatomicRegionSequence\.KEYWORD\. See"),
        ("`AnatomicRegionSequence.CodeMeaning` == x", r"--tag AnatomicRegionSequence\.CodeMeaning\. See"),
        ("`(0019,xx10,'GE')` == x", r"""--tag '\(0019,"GE",10\)'\. See"""),
        ("PixelData == x", r"unknown field 'PixelData'\. See"),
        ("exists(devise)", r"unknown field 'devise'"),
        ("PatientID == 1", r"unknown field 'PatientID'\. An index calls it 'patient': write patient\. See the list"),
        ("label == x", r"unknown field 'label'\. This index has no column of labels"),
        ("odd-name == 1", r"unknown field 'odd'\. Write backquotes around a field name .*: `odd-name`\. See the list"),
    ],
)
def test_a_field_that_the_index_does_not_have(text, message):
    with pytest.raises(SpecError, match=message):
        _bind(text, {**COLUMNS, "odd-name": Kind.TEXT})


def test_the_word_label_names_the_column_of_labels():
    with pytest.raises(SpecError, match=r"The labels of this index are in 'eye label': write `eye label`\."):
        bind([parse("label == x")], Columns(COLUMNS, {}, "See the list", "eye label"), name="s.yaml")


def test_an_age_falls_back_on_the_time_between_birth_and_acquisition_where_the_index_has_both():
    columns = {**COLUMNS, "PatientBirthDate": Kind.DATE}
    born, day = _bind("age > 1", columns)["age"].between
    assert born.columns == (("PatientBirthDate", Kind.DATE),)
    assert [name for name, _ in day.columns] == ["AcquisitionDateTime", "StudyDate"]
    assert _bind("age > 1")["age"].between is None
    assert _bind("PatientAge > 1", columns)["PatientAge"].between is None
    assert _bind("age > 1", {**columns, "PatientBirthDate": Kind.TEXT})["age"].between is None
    del columns["PatientAge"]
    assert _bind("age > 1", columns)["age"].columns == ()


def test_without_an_index_an_unknown_field_is_not_a_fault():
    bound, faults = examine([parse("vpf > 1 and devise == x")], Columns({"vpf": Kind.NUMBER}), value_sets={})
    assert faults == []
    assert bound["devise"] is None
    assert bound["vpf"] is not None


def test_all_faults_are_reported_at_once_each_under_its_caret():
    with pytest.raises(SpecError, match="2 faults") as caught:
        _bind("devise == x and age > sixty and devise == y")
    assert str(caught.value).splitlines()[-1] == "      |                       ^^^^^"


def test_a_fault_has_its_line_in_the_file():
    spec = make_spec("\n  - age > 1\n  - vpf > sixty")
    with pytest.raises(SpecError, match=r"^test\.yaml:6:11: 'vpf' holds numbers") as caught:
        bind([spec.forget], Columns(COLUMNS, {}, "See"), name=spec.source)
    assert str(caught.value).splitlines()[1:] == ["    6 |   - vpf > sixty", "      |           ^^^^^"]


@pytest.mark.parametrize(
    ("kinds", "units"),
    [
        ({"AcquisitionDate": Kind.TEXT, "StudyDate": Kind.DATE}, {}),
        ({"AcquisitionDate": Kind.NUMBER, "StudyDate": Kind.NUMBER}, {"StudyDate": "mm"}),
    ],
)
def test_columns_of_different_kinds_or_units_are_not_one_field(kinds, units):
    message = "'acquired' is an alias for AcquisitionDate and StudyDate, which hold values of different kinds"
    with pytest.raises(SpecError, match=message):
        _bind("acquired == x", kinds, units)


def test_a_misspelt_field_is_shown_without_the_identifiers_after_it():
    with pytest.raises(SpecError, match=r"unknown field 'patients'\. Did you mean 'patient'\?") as caught:
        _bind("vpf > 1 and patients in [P17, P18]")
    assert str(caught.value).splitlines()[1:] == ["    1 |             patients", "      |             ^^^^^^^^"]


def test_a_predicate_built_in_code_has_a_message_too():
    node = Comparison(Field("devise"), Operator.EQUAL, Value("x"))
    with pytest.raises(SpecError, match="unknown field 'devise'"):
        bind([node], Columns(COLUMNS, {}, "See"), name="s")


LATERALITY = {"laterality": Kind.TEXT}


@pytest.mark.parametrize(
    "text", ["laterality == {}", "laterality in [L, {}]", "laterality contains {}", "laterality like {}"]
)
def test_a_side_is_named_by_a_known_word(text):
    for word in ("OS", "left", "o.d.", "'Right eye'", "ou"):
        _bind(text.format(word), LATERALITY)
    for word in ("upper", "U"):
        with pytest.raises(SpecError, match=r"expected R, L or B, or a word for one of them .*, got '(upper|U)'"):
            _bind(text.format(word), LATERALITY)


def test_a_list_of_sides_is_checked_too():
    with pytest.raises(SpecError, match=r"expected R, L or B.* for each value of '@eyes', got .* for value 2"):
        _bind("laterality in @eyes", LATERALITY, eyes=("OS", "upper"))
