"""Which patient each image belongs to, and what happens to an image without one.

A DICOM image belongs to its PatientID, and a plain image to the patient that a table names for it; `--patient COLUMN`
names the patients of all images. Where this leaves an image without a patient:

- its column `patient` is null, and it counts as an image all the same;
- a DICOM image gets the fault `missing_patient_id` here, and so does a row of a table that has patients
  (`index/tables/table_statement.py`); the fault is one of the usable ones of `index/faults.py`;
- a cohort treats it as belonging to no patient (`cohort/resolve/`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from monai_unlearn.errors import IndexReadError, did_you_mean
from monai_unlearn.index.assemble import with_fault
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.usable import usable_array

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
    """

    column: str | None
    is_asked: bool
    origin: str | None

    @classmethod
    def find(cls, asked: str | None, columns: Collection[str], *, has_dicom: bool, has_plain: bool) -> PatientSource:
        """Return the source of patients.

        Args:
            asked: The column that the user named; null if none.
            columns: The columns that come from tables.
            has_dicom: Whether the index has DICOM images.
            has_plain: Whether it has images of other formats.

        Raises:
            IndexReadError: No table has the column that the user named.
        """
        if asked is not None:
            if asked not in columns:
                raise IndexReadError(f"--patient {asked}: no table has this column.{did_you_mean(asked, columns)}")
            return cls(column=asked, is_asked=True, origin=asked)
        found = next((name for name in _PATIENT_COLUMNS if name in columns), None) if has_plain else None
        origins = [name for name in ("PatientID" if has_dicom else None, found) if name is not None]
        return cls(column=found, is_asked=False, origin=", ".join(origins) or None)

    def apply(self, rows: pa.Table, texts: pa.Array | pa.ChunkedArray | None) -> pa.Table:
        """Return the rows with their patients, and with the fault of DICOM images that have none.

        A column that the user named gives the patient of every image. One that is found by its name does so for plain
        images only: DICOM images have a PatientID, and identifiers of two origins are never mixed for them.

        Args:
            rows: Rows of the index; `patient` is the PatientID so far.
            texts: The values of `column` for these rows, as its table spells them; null without such a column.
        """
        is_dicom = pc.fill_null(pc.equal(rows["format"], "dicom"), False)  # noqa: FBT003 - what a null becomes
        if texts is not None:
            patients = texts if self.is_asked else pc.if_else(is_dicom, rows["patient"], texts)
            rows = rows.set_column(rows.column_names.index("patient"), "patient", patients)
        missing = pc.and_(pc.and_(is_dicom, pc.is_null(rows["patient"])), usable_array(rows["fault"]))
        return with_fault(rows, missing, Fault.MISSING_PATIENT_ID)
