"""What a file's row says about its patient and its kind of object, settled alike for the rows of every reader."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

import pyarrow as pa

from monai_unlearn.index.faults import Fault, joined, split
from monai_unlearn.index.patient_key import ISSUED_BY
from monai_unlearn.vocabulary.placeholders import is_placeholder
from monai_unlearn.vocabulary.sop_classes import is_derived

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monai_unlearn.index.readers.row import Row
    from monai_unlearn.index.values import Value

# The columns that `settled` looks at.
_SETTLED_FROM = (
    *("fault", "faults", "PatientID", "SOPClassUID", "IssuerOfPatientID", "PatientBirthDate"),
    *("OtherPatientIDs", "OtherPatientIDsSequence"),
)
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
    return {**row, **_settled(*map(row.get, _SETTLED_FROM))}


@lru_cache(maxsize=1024)
def _settled(
    code: Value, codes_of_row: Value, patient: Value, sop_class: Value, issuer: Value, birth: Value, *others: Value
) -> Mapping[str, Value]:
    codes = {*split(_text(codes_of_row)), *split(_text(code))}
    patient, sop_class = _text(patient), _text(sop_class)
    if patient is not None and is_placeholder(patient):
        codes.add(Fault.PLACEHOLDER_PATIENT_ID.code)
        patient = None
    if sop_class is not None and is_derived(sop_class):
        codes.add(Fault.DERIVED_OBJECT.code)
    faults = joined(codes)
    return {
        "fault": next(iter(split(faults)), None),
        "faults": faults,
        "PatientID": patient,
        "issuer": issuer,
        "other_ids": _other_ids(others, patient),
        "birth_check": (_text(birth) or "").replace(".", "") or None,
    }


def _other_ids(others: Sequence[Value], patient: str | None) -> str | None:
    """Return the further identifiers of the patient, sorted; null if there is none, or no patient to have them."""
    if patient is None:
        return None
    found = {part.strip() for value in map(_text, others) if value for part in value.split("\\")} - {patient, ""}
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


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) else None
