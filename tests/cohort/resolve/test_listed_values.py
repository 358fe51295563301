from __future__ import annotations

import pytest
from cohort_index import make_index

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.errors import CohortError
from monai_unlearn.vocabulary.fields import Kind

WITHDRAWN = "value_sets: {gone: [0012345, '12346', 12346.0, 0077, B17, x9]}\n"


@pytest.fixture
def index(tmp_path):
    columns = {
        "patient": ["0012345", "0012346", "MRN-0077", "B17", "other", None],
        "mrn": ["x9", "x9", "0077", None, "x8", None],
        "eye": ["N", "D", "N", "D", "N", "N"],
    }
    return make_index(tmp_path / "index", columns, {"mrn": Kind.TEXT, "eye": Kind.TEXT})


def spec(forget="patient in @gone", more=WITHDRAWN, reason="consent_withdrawal"):
    head = f"schema_version: 1\nname: test\nreason: {reason}\n"
    return CohortSpec.parse(f"{head}forget: {forget}\n{more}", source="test.yaml")


def refusal(index, *arguments, **options):
    with pytest.raises(CohortError, match="test.yaml: ") as caught:
        spec(*arguments, **options).resolve(index)
    return str(caught.value).partition("\nImages, rule by rule")[0]


def test_a_consent_list_must_be_found_whole(index):
    text = refusal(index)
    assert text.startswith(
        "test.yaml: expected every value of @gone (patient) to occur in the index (the default for reason: "
        "consent_withdrawal), found 2 of 6. Near misses: 1 by leading zeros, 1 by decimals such as .0, 1 by a prefix "
        "or suffix. "
    )
    assert "expect: {matched: {NAME: {min: N}}}" in text
    assert not any(value in text for value in ("12346", "0077", "B17", "x9"))


@pytest.mark.parametrize(
    ("forget", "found"), [("patient == 12345", "== …"), ("patient in [B17, 12345]", "[… 2 values]")]
)
def test_so_must_what_is_written_in_the_predicate(index, forget, found):
    assert f"every value of {found} (patient)" in refusal(index, forget, "")


def test_a_list_in_an_or_is_no_way_around(index):
    assert "found 2 of 6" in refusal(index, "patient in @gone or eye == D")


@pytest.mark.parametrize("forget", ["patient == B17 or eye in [D, X]", "patient == B17 or eye in @eyes"])
def test_a_list_that_identifies_nobody_is_only_reported(index, forget):
    more = "value_sets: {eyes: [D, X]}\n" if "@" in forget else ""
    cohort = spec(forget, more).resolve(index)
    assert cohort.images["forget"] == 2
    assert [(entry["matched"], entry["values"]) for entry in cohort.value_lists if "eye" in entry["field"]] == [(1, 2)]
    assert "(eye) to occur in the index (expect: matched: all)" in refusal(
        index, forget, f"{more}expect: {{matched: all}}\n"
    )
    least = "expect: {matched: {eyes: {min: 2}}}\n"
    if more:
        assert "expected at least 2 values of @eyes" in refusal(index, forget, more + least)


@pytest.mark.parametrize("field", ["mrn", "person_name", "chart", "study", "image_id", "any(OtherPatientIDs)"])
def test_a_list_that_may_identify_people_must_be_found_whole(tmp_path, field):
    columns = {name: ["B17", "other"] for name in ("mrn", "person_name", "chart", "OtherPatientIDs")}
    columns |= {"study": ["B17", "1.2"], "image_id": ["B17", "i2"]}
    kinds = dict.fromkeys(("mrn", "person_name", "chart", "OtherPatientIDs"), Kind.TEXT)
    index = make_index(tmp_path / "index", columns, kinds, patient_from="chart")
    assert f"every value of @gone ({field}) to occur" in refusal(
        index, f"{field} in @gone", "value_sets: {gone: [B17, nobody]}\n"
    )


def test_other_reasons_expect_it_where_the_spec_does(index):
    assert spec(reason="other").resolve(index).images["forget"] == 2
    text = refusal(index, more=f"{WITHDRAWN}expect: {{matched: all}}\n", reason="other")
    assert "to occur in the index (expect: matched: all), found 2 of 6" in text


@pytest.mark.parametrize(("least", "passes"), [(2, True), (3, False)])
def test_a_smallest_number_takes_the_place_of_all(index, least, passes):
    more = f"{WITHDRAWN}expect: {{matched: {{gone: {{min: {least}}}}}}}\n"
    if passes:
        assert spec(more=more).resolve(index).images["forget"] == 2
    else:
        assert "expected at least 3 values of @gone (patient) to occur" in refusal(index, more=more)


def test_a_set_that_is_not_named_keeps_the_default(index):
    more = "value_sets: {gone: [B17], other: [nobody]}\nexpect: {matched: {gone: {min: 1}}}\n"
    assert "every value of @other (patient)" in refusal(index, "patient in @gone or patient in @other", more)


def test_a_set_that_is_compared_with_two_fields_must_be_found_in_one_of_them(index):
    more = "value_sets: {gone: [B17, x9]}\n"
    assert spec("patient in @gone or mrn in @gone", more).resolve(index).images["forget"] == 3
    text = refusal(index, "patient in @gone or mrn in @gone", "value_sets: {gone: [B17, x9, x7]}\n")
    assert "every value of @gone (patient and mrn)" in text
    assert "found 2 of 3" in text


def test_a_value_set_that_no_condition_uses_is_not_found_either(index):
    text = refusal(index, "patient == B17", "value_sets: {gone: [B17]}\n")
    assert "expected the values of @gone to occur in the index (expect: matched), but no condition uses it." in text
    assert spec("patient == B17", "value_sets: {gone: [B17]}\n", reason="other").resolve(index).images["forget"] == 1


@pytest.mark.parametrize(
    "more",
    [
        "value_sets: {gone: [B17, never, x9]}\nabsent: [never, x9, somebody else]\n",
        "value_sets: {gone: {values: [B17, never, x9], absent: [never, x9]}}\n",
        "value_sets: {gone: {values: [B17, never, x9], absent: [never]}}\nabsent: [x9]\n",
    ],
)
def test_values_that_are_known_to_be_absent_need_not_be_found(index, more):
    cohort = spec(more=more).resolve(index)
    (entry,) = cohort.value_lists
    assert (entry["values"], entry["matched"], entry["absent"]) == (3, 1, 2)


def test_what_is_absent_from_one_set_is_not_from_another(index):
    more = "value_sets: {gone: {values: [B17], absent: [never]}, more: [never]}\n"
    assert "every value of @more (patient)" in refusal(index, "patient in @gone or patient in @more", more)


@pytest.mark.parametrize("reason", ["consent_withdrawal", "other"])
@pytest.mark.parametrize("listed", ["[B17, 0012345]", "[B17]"])
def test_a_value_that_is_said_to_be_absent_and_occurs_is_refused(index, reason, listed):
    text = refusal(index, more=f"value_sets: {{gone: {listed}}}\nabsent: [0012345, never]\n", reason=reason)
    assert "expected no value under absent: to occur in the index (@gone (patient)), found 1 that do" in text


def test_the_counts_of_a_refused_cohort_are_masked_for_others(index):
    from monai_unlearn.cohort.reports.suppress_preview import preview_for_others

    with pytest.raises(CohortError, match="found … of …") as caught:
        preview_for_others(spec(), index, below=5)
    assert "Near misses: … by leading zeros" in str(caught.value)


SHARED = {
    "patient": ["1001^^^A", "1001^^^B", "2002^^^B"],
    "patient_ids": ["1001^^^A", "1001^^^B", "2002\\2002^^^B"],
}


@pytest.mark.parametrize("reason", ["other", "consent_withdrawal"])
def test_an_identifier_of_several_patients_is_refused_by_its_form_not_its_value(tmp_path, reason):
    index = make_index(tmp_path / "i", SHARED, patient_from="PatientID, IssuerOfPatientID")
    one = spec("patient == 1001", "", reason)
    said = "Identifiers that several patients have: 1. Write each with its issuer"
    with pytest.raises(CohortError, match=said) as caught:
        one.resolve(index)
    assert str(caught.value).count("Identifiers that") == 1


def test_an_identifier_of_one_patient_is_found_without_its_issuer(tmp_path):
    index = make_index(tmp_path / "i", SHARED, patient_from="PatientID, IssuerOfPatientID")
    assert list(spec("patient == 2002", "").resolve(index).forget["patient"]) == ["2002^^^B"]


def test_a_patient_who_is_listed_twice_counts_once(tmp_path):
    index = make_index(tmp_path / "i", {"patient": ["A 1", "B 2", "C 3"]})
    more = "value_sets: {gone: ['A 1', 'A\u00a01']}\nexpect: {matched: {gone: {min: 2}}}\n"
    with pytest.raises(CohortError, match=r"expected at least 2 values of @gone .*, found 1 of 1"):
        spec("patient in @gone", more).resolve(index)
