"""The patients and derived objects among the rows of a table, found as for files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from monai_unlearn.index.derived import derived_rows
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.identities import Identities
from monai_unlearn.index.patient_key import INSTITUTION, ISSUER
from monai_unlearn.index.patients import without_placeholders
from monai_unlearn.index.row_faults import with_fault
from monai_unlearn.index.tables.table_copies import TableCopies
from monai_unlearn.index.tables.table_sql import quoted
from monai_unlearn.index.usable import usable_array
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from monai_unlearn.index.patient_key import PatientKey
    from monai_unlearn.index.tables.table_columns import TableColumn

# The columns of a table that say who a patient is, by their names in `people`; see `index/identities.py`.
_SOURCES: Mapping[str, str] = {
    "id": "patient",
    "issuer": ISSUER,
    "institution": INSTITUTION,
    "others": "OtherPatientIDs",
    "sex": "PatientSex",
    "birth": "PatientBirthDate",
    "study": "study",
}


@dataclass(frozen=True)
class TablePeople:
    """What is said of the rows of a table beyond their own values.

    Attributes:
        identities: The patients.
        has_patients: Whether the table has a column of patients; only then does a row without one have a fault.
        zeros: Whether a patient of zeros is a placeholder: not in a column of numbers.
        include_derived: Whether derived objects that have pixels count as images.
        copies: Rows with the SOPInstanceUID of another.
    """

    identities: Identities
    has_patients: bool
    zeros: bool
    include_derived: bool
    copies: TableCopies

    @classmethod
    def find(
        cls,
        connection: duckdb.DuckDBPyConnection,
        statement: str,
        columns: Sequence[TableColumn],
        *,
        key: PatientKey,
        include_derived: bool,
    ) -> TablePeople:
        """Find the patients.

        Args:
            connection: The connection with the table.
            statement: What selects the rows of the index; see `table_statement`.
            columns: The columns of the index.
            key: What makes two PatientIDs one patient.
            include_derived: Whether derived objects that have pixels count as images.
        """
        own = {column.name: column for column in columns}
        has_patients = "patient" in own
        zeros = has_patients and own["patient"].source.kind is not Kind.NUMBER
        selected = ", ".join(
            f"CAST({quoted(source) if source in own else 'NULL'} AS VARCHAR) AS {name}"
            for name, source in _SOURCES.items()
        )
        connection.execute(
            f"CREATE TEMP TABLE people AS SELECT {selected} FROM ({statement}) WHERE patient IS NOT NULL"  # noqa: S608
        )
        identities = Identities.find(connection, key, zeros=zeros)
        names = {"patient", *own}
        copies = TableCopies.find(connection, statement, names, key)
        return cls(identities, has_patients, zeros, include_derived, copies)

    def apply(self, rows: pa.Table) -> pa.Table:
        """Return rows of the index with their patients and with all their faults."""
        rows = with_fault(rows, derived_rows(rows, included=self.include_derived), Fault.DERIVED_OBJECT)
        if not self.has_patients:
            return self.copies.apply(rows)
        named, placeholder = without_placeholders(rows["patient"], zeros=self.zeros)
        rows = rows.set_column(rows.column_names.index("patient"), "patient", named)
        rows = self.identities.apply(rows, issuer=ISSUER)
        usable = usable_array(rows["fault"])
        rows = with_fault(rows, pc.and_(placeholder, usable), Fault.PLACEHOLDER_PATIENT_ID)
        missing = pc.and_(pc.and_(pc.is_null(named), pc.invert(placeholder)), usable)
        return self.copies.apply(with_fault(rows, missing, Fault.MISSING_PATIENT_ID))
