"""What a file's row says about its patient and its kind of object, settled alike for the rows of every reader."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pyarrow as pa

from monai_unlearn.index.faults import Fault, joined, split
from monai_unlearn.index.patient_key import ISSUED_BY
from monai_unlearn.vocabulary.placeholders import is_placeholder
from monai_unlearn.vocabulary.sop_classes import is_derived

if TYPE_CHECKING:
    from monai_unlearn.index.readers.row import Row

_BIRTH_CHECKS = 32


def settled(row: Row) -> Row:
    """Return a row with all its faults, and without a placeholder for its patient.

    - A PatientID such as ANONYMOUS becomes null, with the fault `placeholder_patient_id`.
    - A segmentation, dose, report and the like gets the fault `derived_object`.
    - `issuer` and `other_ids` (each with its issuer, joined by backslashes) replace the tags that they come from.
    - `birth_check` is the birth date, which nobody may write: `without_birth_dates` or `Pseudonyms.rows` replace it.

    Args:
        row: The row, as a reader of any format returns it.
    """
    if row.get("format") != "dicom":
        return row if row.get("fault") is None else {**row, "faults": row["fault"]}
    codes = {*split(_text(row, "faults")), *split(_text(row, "fault"))}
    patient, sop_class = _text(row, "PatientID"), _text(row, "SOPClassUID")
    if patient is not None and is_placeholder(patient):
        codes.add(Fault.PLACEHOLDER_PATIENT_ID.code)
        patient = None
    if sop_class is not None and is_derived(sop_class):
        codes.add(Fault.DERIVED_OBJECT.code)
    faults = joined(codes)
    return {
        **row,
        "fault": next(iter(split(faults)), None),
        "faults": faults,
        "PatientID": patient,
        "issuer": row.get("IssuerOfPatientID"),
        "other_ids": _other_ids(row, patient),
        "birth_check": (_text(row, "PatientBirthDate") or "").replace(".", "") or None,
    }


def _other_ids(row: Row, patient: str | None) -> str | None:
    """Return the further identifiers of the patient, sorted; null if there is none, or no patient to have them."""
    if patient is None:
        return None
    values = [_text(row, keyword) for keyword in ("OtherPatientIDs", "OtherPatientIDsSequence")]
    found = {part.strip() for value in values if value is not None for part in value.split("\\")} - {patient, ""}
    return "\\".join(sorted(name for name in found if not is_placeholder(name.partition(ISSUED_BY)[0]))) or None


def without_birth_dates(rows: pa.Table) -> pa.Table:
    """Return rows with a number below 32 in place of each birth date.

    The number differs for 31 of 32 pairs of dates, so of contradictions that only one pair of dates shows, 1 in 32 is
    missed. No number could differ for all pairs and keep the date to itself: a century has 36,525 days, which
    anybody can try, and with an age and a study date only some 365 of them are left, 11 for each number. An index
    of pseudonyms misses none, because its key is secret.
    """
    found = rows["birth_check"].to_pylist()
    numbers = [
        None if birth is None else str(hashlib.sha256(birth.encode()).digest()[0] % _BIRTH_CHECKS) for birth in found
    ]
    position = rows.column_names.index("birth_check")
    return rows.set_column(position, rows.schema.field(position), pa.array(numbers, pa.string()))


def _text(row: Row, name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) else None
