from __future__ import annotations

import pandas as pd
import pytest

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.cohort.reports.recheck import recheck
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
        ("patient == B17 or device == old", "", r"1 of 1 values of == … \(patient\) are not pseudonyms"),
        ("device == old and patient not in [B17, other]", "", r"2 of 2 values of \[… 2 values\] \(patient\)"),
        ("device == old", "population: patient != B17\n", r"1 of 1 values of == … \(patient\)"),
        ("patient contains B17 or device == old", "", r"'patient contains …' asks for a part or an order"),
        ("patient matches /^B/ or device == old", "", r"'patient matches /…/' asks for a part or an order"),
    ],
)
def test_plain_identifiers_are_recognised_and_refused(index, forget, more, message):
    for reason in ("consent_withdrawal", "other"):
        with pytest.raises(SpecError, match=message) as caught:
            spec(forget, more, reason).resolve(index)
        assert "B17" not in str(caught.value)


def test_pseudonyms_need_no_key(index):
    hashed = Pseudonyms(KEY).of("patient", "B17")
    assert spec(f"patient in [{hashed}]").resolve(index).image_ids["forget"] == ["b"]


def test_other_fields_are_plain(index, keyfile):
    assert spec("device in [old]").resolve(index).images["forget"] == 2
    assert with_pseudonyms(spec("device in [old]"), index, keyfile) == spec("device in [old]")


def test_a_value_that_is_said_to_be_absent_is_hashed_to_see_whether_it_occurs(index, keyfile):
    wrong = spec("patient in @gone", f"{SET}absent: [B17]\n")
    with pytest.raises(CohortError, match="1 values under absent: do occur in the index"):
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
    manifest = with_pseudonyms(spec("patient in @gone", SET), index, keyfile).resolve(index).manifest
    assert "B17" not in str(manifest)
    assert recheck(manifest, index, source="cohort.json")["holds"]
    assert recheck(manifest, index, source="cohort.json", keyfile=keyfile)["holds"]
