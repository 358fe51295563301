"""Who withdrew consent, from HL7 FHIR: `Consent` resources with `status = inactive` (R4B and R5).

Read through fhir.resources, from the extra `fhir`: it knows which fields and codes a resource may have.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import DataError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    # By the references that mean them.
    Patients = Mapping[str, list[dict[str, Any]]]

WITHDRAWN = "inactive"
# Who a consent is about: `patient` up to R4B, `subject` from R5 on.
_MODULES = {"patient": "fhir.resources.R4B", "subject": "fhir.resources"}


@dataclass(frozen=True, kw_only=True)
class ConsentRule:
    """Which consents count, and by which identifier their patients are known here.

    Attributes:
        system: The system of the identifier that is the PatientID of images; None where patients have one only.
        category: The code of `Consent.category` that is about this use of images; None counts every consent.
    """

    system: str | None = None
    category: str | None = None


def withdrawn(content: bytes, rule: ConsentRule) -> list[str]:
    """Return the identifiers of the patients who withdrew their consent, sorted.

    Args:
        content: A FHIR `Bundle` with `Consent` and `Patient` resources, or a single `Consent`, as JSON.
        rule: Which consents count.

    Raises:
        DataError: It is no such document; nobody withdrew; a patient's identifier is missing or not the only one; a
            consent may be about either of two patients; or a patient has another consent that is active.
        InputError: The extra `fhir` is not installed.
    """
    document = _parsed(content)
    resources = [_checked(one) for one in _resources(document)]
    patients = _by_reference(
        (key, one) for one in resources if one["resourceType"] == "Patient" for key in _keys_of(one)
    )
    consents = [one for one in resources if one["resourceType"] == "Consent" and _counts(one, rule)]
    inactive = _people(consents, patients, rule, lambda status: status == WITHDRAWN)
    if not inactive:
        raise DataError(f"expected a Consent whose status is '{WITHDRAWN}', found none that counts.")
    if inactive & _people(consents, patients, rule, lambda status: status == "active"):
        raise DataError(
            "of a patient, one Consent is inactive and another one active. Find out which of them is about this use of "
            "images, and name its category with --consent-category."
        )
    return sorted(inactive)


def _parsed(content: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or document.get("resourceType") not in {"Bundle", "Consent"}:
        raise DataError("expected JSON with a FHIR Bundle or Consent, got other content.")
    return document


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _resources(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the resources that are of use, each with the address that others refer to it by."""
    if document["resourceType"] == "Consent":
        yield dict(document)
        return
    entries = document.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        found = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(found, dict) and found.get("resourceType") in {"Consent", "Patient"}:
            yield {**found, "_fullUrl": entry.get("fullUrl")}


def _checked(resource: dict[str, Any]) -> dict[str, Any]:
    """Return a resource once the library has accepted it."""
    kind, plain = resource["resourceType"], {key: one for key, one in resource.items() if key != "_fullUrl"}
    package = _MODULES["patient" if kind == "Patient" or "patient" in resource else "subject"]
    model = getattr(_library(f"{package}.{kind.lower()}"), kind)
    try:
        model.model_validate_json(json.dumps(plain))
    except (ValueError, TypeError, RecursionError) as error:
        # Its message holds values.
        raise DataError(f"expected a {kind} as FHIR defines it, got other content ({type(error).__name__}).") from None
    return resource


def _library(module: str) -> Any:  # noqa: ANN401 - a module
    try:
        return importlib.import_module(module)
    except ImportError:
        raise InputError(
            "FHIR takes fhir.resources, which is not installed. Install it with: pip install 'monai-unlearn[fhir]'"
        ) from None


def _keys_of(patient: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(patient.get("id"), str):
        yield f"Patient/{patient['id']}"
    if isinstance(patient.get("_fullUrl"), str):
        yield patient["_fullUrl"]


def _by_reference(found: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Return the resources that each reference may mean, at most two; the same one twice is one."""
    known: dict[str, list[dict[str, Any]]] = {}
    for key, resource in found:
        plain = {name: value for name, value in resource.items() if name != "_fullUrl"}
        of_key = known.setdefault(key, [])
        if len(of_key) <= 1 and plain not in of_key:
            of_key.append(plain)
    return known


def _counts(consent: Mapping[str, Any], rule: ConsentRule) -> bool:
    if rule.category is None:
        return True
    codings = [coding for one in consent.get("category") or () for coding in one.get("coding") or ()]
    return any(coding.get("code") == rule.category for coding in codings)


def _people(consents: list[dict[str, Any]], patients: Patients, rule: ConsentRule, wanted: Any) -> set[str]:  # noqa: ANN401 - a predicate
    return {_identifier(one, patients, rule) for one in consents if wanted(one.get("status"))}


def _identifier(consent: Mapping[str, Any], patients: Patients, rule: ConsentRule) -> str:
    reference = consent.get("subject") or consent.get("patient") or {}
    contained = _by_reference((f"#{one.get('id')}", one) for one in consent.get("contained") or ())
    wanted = str(reference.get("reference"))
    meant = contained.get(wanted) or patients.get(wanted, [])
    if len(meant) > 1:
        raise DataError(
            "expected one Patient under each id and fullUrl that a Consent refers to, found two that differ. Send each "
            "patient once."
        )
    given = [reference["identifier"]] if reference.get("identifier") else (meant or [{}])[0].get("identifier") or []
    values = {
        one["value"].strip()
        for one in given
        if isinstance(one.get("value"), str)
        and one["value"].strip()
        and one.get("use") != "old"
        and rule.system in {None, one.get("system")}
    }
    if len(values) == 1:
        return str(values.pop())
    system = f" of the system {rule.system}" if rule.system else ""
    remedy = "" if rule.system else " Name the system of PatientID with --identifier-system."
    raise DataError(f"expected one identifier{system} of the patient of each Consent, found {len(values)}.{remedy}")
