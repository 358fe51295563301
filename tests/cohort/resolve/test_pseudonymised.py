from __future__ import annotations

import pandas as pd
import pytest

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.cohort.reports.recheck import recheck
from monai_unlearn.cohort.resolve.frozen import Frozen
from monai_unlearn.cohort.resolve.resolve import with_pseudonyms
from monai_unlearn.errors import CohortError, IndexReadError, SpecError
from monai_unlearn.index import write_index
from monai_unlearn.index.pseudonyms import Pseudonyms
from monai_unlearn.vocabulary.fields import Kind

KEY = b"sixteen bytes or more"
PEOPLE = ["0012345", "B17", "other", "another"]


@pytest.fixture
def keyfile(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(KEY + b"\n")
    return path


@pytest.fixture
def index(tmp_path):
    names, hospital = Pseudonyms(KEY), Pseudonyms(KEY)
    frame = pd.DataFrame(
        {
            "image_id": ["a", "b", "c", "d"],
            "patient": [names.of("patient", name) for name in PEOPLE],
            "study": [names.of("study", f"1.2.{number}") for number in range(4)],
            "hospital_number": [hospital.of("patient", f"H{number}") for number in range(4)],
            "device": ["old", "old", "new", "new"],
        }
    )
    kinds = {"hospital_number": Kind.TEXT, "device": Kind.TEXT}
    provenance = {"pseudonyms": names.fingerprint, "patient_from": "PatientID, hospital_number"}
    return write_index(frame, tmp_path / "index", kinds=kinds, provenance=provenance)


def spec(forget, more="", reason="consent_withdrawal"):
    head = f"schema_version: 1\nname: test\nreason: {reason}\n"
    return CohortSpec.parse(f"{head}forget: {forget}\n{more}", source="test.yaml")


SET = "value_sets: {gone: [0012345, B17]}\n"


@pytest.mark.parametrize(
    ("forget", "more", "images"),
    [
        ("patient in @gone", SET, ["a", "b"]),
        ("patient in [0012345]", "", ["a"]),
        ("not patient != B17", "", ["b"]),
        ("patient == B17 or device == new", "", ["b", "c", "d"]),
        ("study in [1.2.3]", "", ["d"]),
        # The user named this column as that of the patients.
        ("hospital_number == H1", "", ["b"]),
        (f"patient in [B17, {Pseudonyms(KEY).of('patient', 'other')}]", "", ["b", "c"]),
        ("patient in @gone", "value_sets: {gone: {values: [B17, never], absent: [never]}}\n", ["b"]),
        ("patient in @gone", "value_sets: {gone: [B17, never]}\nabsent: [never, device-less]\n", ["b"]),
    ],
)
def test_identifiers_are_hashed_with_the_key_of_the_index(index, keyfile, forget, more, images):
    cohort = with_pseudonyms(spec(forget, more), index, keyfile).resolve(index)
    assert cohort.image_ids["forget"] == images


def test_a_population_is_hashed_too(index, keyfile):
    found = with_pseudonyms(spec("device == old", "population: patient in [B17, other]\n"), index, keyfile)
    assert found.resolve(index).image_ids == {"forget": ["b"], "remain": ["c"], "undetermined": []}


@pytest.mark.parametrize(
    ("forget", "more", "message"),
    [
        ("patient in @gone", SET, r"2 of 2 values of @gone \(patient\) are not pseudonyms"),
        # Joined by `or`, it would pass.
        ("patient in @gone or device == old", SET, r"2 of 2 values of @gone \(patient\) are not pseudonyms"),
        ("patient == B17 or device == old", "", r"1 of 1 value of == … \(patient\) is not a pseudonym"),
        ("device == old and patient not in [B17, other]", "", r"2 of 2 values of \[… 2 values\] \(patient\)"),
        ("device == old", "population: patient != B17\n", r"1 of 1 value of == … \(patient\)"),
        ("patient contains B17 or device == old", "", r"'patient contains …' asks for a part, an order or other"),
        ("patient like b-17 or device == old", "", r"'patient like …' asks for a part, an order or other spellings"),
        ("patient ~= b17 or device == old", "", r"'patient ~= …' asks for a part, an order or other spellings"),
        ("patient matches /^B/ or device == old", "", r"'patient matches /…/' asks for a part, an order"),
    ],
)
def test_plain_identifiers_are_recognised_and_refused(index, forget, more, message):
    for reason in ("consent_withdrawal", "other"):
        with pytest.raises(SpecError, match=message) as caught:
            spec(forget, more, reason).resolve(index)
        assert "B17" not in str(caught.value)


@pytest.fixture
def qualified(tmp_path):
    """The patient 12346 of two hospitals, one of them with an alias, as `--patient-key` with the issuer writes them."""
    of = Pseudonyms(KEY)
    hashed = {name: of.of("patient", name) for name in ("12346", "77", "OLD-7")}
    frame = pd.DataFrame(
        {
            "image_id": ["a", "b", "c", "d"],
            "patient": [f"{hashed['12346']}^^^HOSP_A", f"{hashed['12346']}^^^HOSP B", f"{hashed['77']}^^^HOSP_A", None],
            "patient_ids": [
                f"{hashed['12346']}^^^HOSP_A",
                f"{hashed['12346']}^^^HOSP B",
                "\\".join([hashed["77"], f"{hashed['77']}^^^HOSP_A", hashed["OLD-7"], f"{hashed['OLD-7']}^^^HOSP_A"]),
                None,
            ],
            "IssuerOfPatientID": ["HOSP_A", "HOSP B", "HOSP_A", "HOSP_A"],
        }
    )
    provenance = {"pseudonyms": of.fingerprint, "patient_from": "PatientID, IssuerOfPatientID"}
    kinds = {"IssuerOfPatientID": Kind.TEXT}
    return write_index(frame, tmp_path / "qualified", kinds=kinds, provenance=provenance)


HASHED = Pseudonyms(KEY).of("patient", "12346")


@pytest.mark.parametrize(
    ("listed", "images"),
    [
        ("77", ["c"]),
        ("77^^^HOSP_A", ["c"]),
        ("OLD-7", ["c"]),
        ("OLD-7^^^HOSP_A", ["c"]),
        ("12346^^^HOSP_A", ["a"]),
        ("12346^^^HOSP  B", ["b"]),
        (f"{HASHED}^^^HOSP_A", ["a"]),
    ],
)
@pytest.mark.parametrize("form", ["patient in @gone", "patient in [{}]", "patient == {}"])
def test_an_identifier_is_hashed_with_or_without_its_issuer(qualified, keyfile, form, listed, images):
    more = f"value_sets: {{gone: ['{listed}']}}\n" if "@" in form else ""
    found = with_pseudonyms(spec(form.format(listed), more), qualified, keyfile)
    cohort = found.resolve(qualified)
    assert cohort.image_ids["forget"] == images
    assert [(entry["values"], entry["matched"]) for entry in cohort.value_lists] == [(1, 1)]
    assert "12346" not in str(cohort.manifest).replace(HASHED, "")


def test_an_identifier_that_two_hospitals_gave_needs_its_issuer(qualified, keyfile):
    with pytest.raises(CohortError, match="found 0 of 1"):
        with_pseudonyms(spec("patient in [12346]"), qualified, keyfile).resolve(qualified)


def test_the_issuer_is_no_identifier(qualified):
    assert spec("IssuerOfPatientID == HOSP B").resolve(qualified).image_ids["forget"] == ["b"]


def test_absent_values_may_have_an_issuer_too(qualified, keyfile):
    more = "value_sets: {gone: [77^^^HOSP_A, 99^^^HOSP_B]}\nabsent: [99^^^HOSP_B]\n"
    cohort = with_pseudonyms(spec("patient in @gone", more), qualified, keyfile).resolve(qualified)
    assert [entry["absent"] for entry in cohort.value_lists] == [1]


def test_a_plain_key_has_no_issuer(index, keyfile):
    with pytest.raises(CohortError, match="found 0 of 1"):
        with_pseudonyms(spec("patient in [B17^^^HOSP_A]"), index, keyfile).resolve(index)


def test_pseudonyms_need_no_key(index):
    hashed = Pseudonyms(KEY).of("patient", "B17")
    assert spec(f"patient in [{hashed}]").resolve(index).image_ids["forget"] == ["b"]


def test_other_fields_are_plain(index, keyfile):
    assert spec("device in [old]").resolve(index).images["forget"] == 2
    assert with_pseudonyms(spec("device in [old]"), index, keyfile) == spec("device in [old]")


def test_a_value_that_is_said_to_be_absent_is_hashed_to_see_whether_it_occurs(index, keyfile):
    wrong = spec("patient in @gone", f"{SET}absent: [B17]\n")
    with pytest.raises(CohortError, match="expected no value under absent: to occur in the index"):
        with_pseudonyms(wrong, index, keyfile).resolve(index)


def test_a_set_of_two_kinds_of_identifiers_is_refused(index, keyfile):
    both = spec("patient in @gone or study in @gone", SET)
    with pytest.raises(SpecError, match="@gone is compared with fields whose pseudonyms differ"):
        with_pseudonyms(both, index, keyfile)


def test_another_key_is_refused(index, tmp_path):
    other = tmp_path / "other"
    other.write_bytes(b"another key of sixteen bytes")
    with pytest.raises(IndexReadError, match="expected the key that the index .* was built with, got another key"):
        with_pseudonyms(spec("patient in @gone", SET), index, other)


def test_a_key_for_an_index_without_pseudonyms_is_refused(tmp_path, keyfile):
    plain = write_index(pd.DataFrame({"image_id": ["a"], "patient": ["B17"]}), tmp_path / "plain", kinds={})
    with pytest.raises(IndexReadError, match="is not pseudonymised, so there is nothing to hash"):
        with_pseudonyms(spec("patient == B17"), plain, keyfile)


def test_what_is_frozen_names_nobody_and_is_checked_without_the_key(index, keyfile):
    frozen = Frozen.of(with_pseudonyms(spec("patient in @gone", SET), index, keyfile).resolve(index))
    assert "B17" not in str(frozen.manifest)
    assert recheck(frozen, index)["holds"]
    assert recheck(frozen, index, keyfile=keyfile)["holds"]
    given = recheck(frozen, index, now=spec("patient in @gone", SET), keyfile=keyfile)
    assert (given["holds"], given["spec"]["same"]) == (True, True)
