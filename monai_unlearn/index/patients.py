"""Which patient each image belongs to, and what happens to an image without one.

A DICOM image belongs to its PatientID, and a plain image to the patient that a table names for it; `--patient COLUMN`
names the patients of all images. Where this leaves an image without a patient:

- its column `patient` is null, and it counts as an image all the same; a placeholder such as ANONYMOUS is no patient
  either, and has the fault `placeholder_patient_id`;
- any other DICOM image gets the fault `missing_patient_id` here, and so does a row of a table that has patients
  (`index/tables/from_table.py`); both faults are usable ones of `index/faults.py`;
- a cohort treats it as belonging to no patient (`cohort/resolve/`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from monai_unlearn.errors import IndexReadError, did_you_mean
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.identities import PEOPLE, Identities
from monai_unlearn.index.row_faults import has_fault, with_fault, without_fault
from monai_unlearn.index.usable import usable_array
from monai_unlearn.vocabulary.placeholders import is_placeholder

if TYPE_CHECKING:
    from collections.abc import Collection

# Names of columns that name patients; the first match wins.
_PATIENT_COLUMNS = ("patient_id", "patient", "PatientID", "subject_id", "subject")


@dataclass(frozen=True, kw_only=True)
class PatientSource:
    """Where the patients of an index come from.

    Attributes:
        column: The column of a table that names patients, if one does.
        is_asked: Whether the user named that column; it then applies to DICOM images too.
        origin: Its name in `index.json`: `PatientID`, the column, or both; null if no patient is known.
        identities: The patients of the DICOM images; of a column that the user named, only their notes.
    """

    column: str | None
    is_asked: bool
    origin: str | None
    identities: Identities = field(default_factory=Identities)

    @classmethod
    def find(
        cls,
        asked: str | None,
        columns: Collection[str],
        *,
        has_dicom: bool,
        has_plain: bool,
        identities: Identities | None = None,
    ) -> PatientSource:
        """Return the source of patients.

        Args:
            asked: The column that the user named; null if none.
            columns: The columns that come from tables.
            has_dicom: Whether the index has DICOM images.
            has_plain: Whether it has images of other formats.
            identities: The patients of the DICOM images; each PatientID is one if null.

        Raises:
            IndexReadError: No table has the column that the user named, or a key of tags is asked for as well.
        """
        if asked is not None:
            if asked not in columns:
                raise IndexReadError(f"--patient {asked}: no table has this column.{did_you_mean(asked, columns)}")
            if identities is not None and not identities.key.is_plain:
                raise IndexReadError(
                    f"--patient {asked} and --patient-key: the column names the patients of all images, whatever their "
                    "tags. Leave one of them out."
                )
            return cls(column=asked, is_asked=True, origin=asked)
        identities = identities or Identities()
        found = next((name for name in _PATIENT_COLUMNS if name in columns), None) if has_plain else None
        origins = [
            name for name in (", ".join(identities.key.fields) if has_dicom else None, found) if name is not None
        ]
        return cls(column=found, is_asked=False, origin=", ".join(origins) or None, identities=identities)

    def apply(self, rows: pa.Table, texts: pa.Array | pa.ChunkedArray | None) -> pa.Table:
        """Return the rows with their patients, and with the fault of DICOM images that have none.

        A column that the user named gives the patient of every image. One that is found by its name does so for plain
        images only: DICOM images have a PatientID, and identifiers of two origins are never mixed for them.

        Args:
            rows: Rows of the index; `patient` is the PatientID so far.
            texts: The values of `column` for these rows, as its table spells them; null without such a column.
        """
        is_dicom = pc.fill_null(pc.equal(rows["format"], "dicom"), False)  # noqa: FBT003 - what a null becomes
        if not self.is_asked:
            rows = self.identities.apply(rows)
        if texts is not None:
            of_table, placeholder = without_placeholders(texts, zeros=False)
            which = pa.array([True] * rows.num_rows) if self.is_asked else pc.invert(is_dicom)
            for name in ("patient", "patient_ids"):
                before = rows[name] if name in rows.column_names else of_table
                rows = _with(rows, name, pc.if_else(which, of_table, before))
            if self.is_asked:  # what the file says is not asked for
                rows = without_fault(rows, which, Fault.PLACEHOLDER_PATIENT_ID)
            is_usable = usable_array(rows["fault"])
            rows = with_fault(rows, pc.and_(pc.and_(which, placeholder), is_usable), Fault.PLACEHOLDER_PATIENT_ID)
        if self.is_asked:
            rows = self.identities.apply(rows)
        nameless = pc.and_(pc.is_null(rows["patient"]), pc.invert(has_fault(rows, Fault.PLACEHOLDER_PATIENT_ID)))
        missing = pc.and_(pc.and_(is_dicom, nameless), usable_array(rows["fault"]))
        return with_fault(rows, missing, Fault.MISSING_PATIENT_ID)

    def people(self, rows: pa.Table, texts: pa.ChunkedArray) -> pa.Table:
        """Return what the images of patients that a table names say of them, for `identities.contradictions_of`.

        Args:
            rows: Rows of the index.
            texts: The values of `column` for these rows.
        """
        named, _ = without_placeholders(texts, zeros=False)
        # A table, or --tag, may have the date itself, of every image.
        birth = "PatientBirthDate" if "PatientBirthDate" in rows.column_names else "birth_check"
        sources = {"issuer": "issuer", "sex": "PatientSex", "birth": birth, "study": "study"}
        empty = pa.nulls(rows.num_rows, pa.string())
        found = {
            name: rows[column].cast(pa.string()) for name, column in sources.items() if column in rows.column_names
        }
        table = pa.table({name: {"id": named, **found}.get(name, empty) for name in PEOPLE})
        return table.filter(pc.and_(pc.is_valid(named), usable_array(rows["fault"])))


def without_placeholders(texts: pa.ChunkedArray, *, zeros: bool) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Return identifiers from a table without placeholders, and where those were.

    Args:
        texts: The identifiers.
        zeros: Whether zeros are a placeholder; a table may count its patients from zero.
    """
    different = pc.unique(texts.drop_null())
    found = [name for name in different.to_pylist() if is_placeholder(name, zeros=zeros)]
    which = pc.is_in(texts, pa.array(found, pa.string()))
    return pc.if_else(which, None, texts), which


def _with(rows: pa.Table, name: str, column: pa.ChunkedArray) -> pa.Table:
    if name in rows.column_names:
        return rows.set_column(rows.column_names.index(name), name, column)
    return rows.append_column(name, column)
