from __future__ import annotations

import json
import sys

import pytest

from monai_unlearn.errors import DataError, InputError
from monai_unlearn.watch.consents import ConsentRule, withdrawn

pytest.importorskip("fhir.resources")

MRN, OTHER = "urn:oid:1.2.3", "urn:oid:4.5.6"


def patient(number, *identifiers):
    given = identifiers or ((MRN, f"MRN-{number}"),)
    return {
        "resourceType": "Patient",
        "id": f"p{number}",
        "identifier": [{"system": system, "value": value} for system, value in given],
    }


def consent(number, status="inactive", *, code="research", **changed):
    """A consent of FHIR R5."""
    return {
        "resourceType": "Consent",
        "id": f"c{number}{status}",
        "status": status,
        "category": [{"coding": [{"system": "http://example.org", "code": code}]}],
        "subject": {"reference": f"Patient/p{number}"},
        **changed,
    }


def r4(number, status="inactive"):
    """A consent of FHIR R4B."""
    found = consent(number, status)
    found["patient"] = found.pop("subject")
    scope = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "research"}]}
    return {**found, "scope": scope}


def bundle(*resources):
    entries = [{"fullUrl": f"http://h/{one['resourceType']}/{one['id']}", "resource": one} for one in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


@pytest.mark.parametrize("make", [consent, r4])
def test_who_withdrew(make):
    content = bundle(patient(1), patient(2), patient(3), make(1), make(2, "active"), make(3))
    assert withdrawn(content, ConsentRule()) == ["MRN-1", "MRN-3"]


def test_a_single_consent_that_names_its_patient():
    found = consent(1, subject={"identifier": {"system": MRN, "value": " MRN-1 "}})
    assert withdrawn(json.dumps(found).encode(), ConsentRule(system=MRN)) == ["MRN-1"]


def test_other_ways_to_refer_to_a_patient():
    by_address = consent(1, subject={"reference": "http://h/Patient/p1"})
    contained = consent(2, contained=[{**patient(2), "id": "me"}], subject={"reference": "#me"})
    assert withdrawn(bundle(patient(1), by_address, contained), ConsentRule()) == ["MRN-1", "MRN-2"]


def test_one_identifier_of_several_is_chosen_by_its_system():
    both = patient(1, (OTHER, "AHV-9"), (MRN, "MRN-1"))
    with pytest.raises(DataError, match="found 2. Name the system of PatientID with --identifier-system"):
        withdrawn(bundle(both, consent(1)), ConsentRule())
    assert withdrawn(bundle(both, consent(1)), ConsentRule(system=MRN)) == ["MRN-1"]
    with pytest.raises(DataError, match="of the system urn:x of the patient of each Consent, found 0"):
        withdrawn(bundle(both, consent(1)), ConsentRule(system="urn:x"))
    with pytest.raises(DataError, match="found 0"):
        withdrawn(bundle(consent(1)), ConsentRule())


def test_two_patients_under_one_reference():
    """The last one was taken, whoever that is."""
    other = {**patient(2), "id": "p1"}
    for resources in ((patient(1), other), (other, patient(1))):
        with pytest.raises(DataError, match="expected one Patient under each id and fullUrl .* found two that differ"):
            withdrawn(bundle(*resources, consent(1)), ConsentRule())
    contained = consent(2, contained=[{**patient(1), "id": "me"}, {**patient(2), "id": "me"}])
    contained["subject"] = {"reference": "#me"}
    with pytest.raises(DataError, match="found two that differ"):
        withdrawn(bundle(contained), ConsentRule())
    # The same one twice is one, and nobody asks for whom no consent refers to.
    assert withdrawn(bundle(patient(1), patient(1), consent(1)), ConsentRule()) == ["MRN-1"]
    assert withdrawn(bundle(patient(1), patient(2), {**patient(3), "id": "p2"}, consent(1)), ConsentRule()) == ["MRN-1"]


def test_only_consents_of_a_category_count():
    content = bundle(patient(1), patient(2), consent(1), consent(2, code="treatment"))
    assert withdrawn(content, ConsentRule(category="research")) == ["MRN-1"]


def test_consents_that_contradict_each_other():
    with pytest.raises(DataError, match="one Consent is inactive and another one active"):
        withdrawn(bundle(patient(1), consent(1), consent(1, "active")), ConsentRule())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "got other content"),
        (b"[]", "got other content"),
        (b'{"resourceType": "Patient"}', "got other content"),
        (b'{"resourceType": "Bundle", "resourceType": "Bundle"}', "got other content"),
        (b"[" * 100_000, "got other content"),
        (bundle(patient(1), consent(1, "active")), "found none that counts"),
        (bundle(patient(1), consent(1, status="no-code-of-fhir")), "found none that counts"),
        (bundle(patient(1), {**consent(1), "secret-of-p1": 1}), "expected a Consent as FHIR defines it"),
        (b'{"resourceType": "Bundle", "type": "collection", "entry": [7]}', "found none that counts"),
    ],
)
def test_what_is_refused(content, why):
    with pytest.raises(DataError, match=why) as caught:
        withdrawn(content, ConsentRule())
    assert "MRN" not in str(caught.value)
    assert "p1" not in str(caught.value)


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "fhir.resources.consent", None)
    with pytest.raises(InputError, match=r"pip install 'monai-unlearn\[fhir\]'"):
        withdrawn(bundle(consent(1)), ConsentRule())
