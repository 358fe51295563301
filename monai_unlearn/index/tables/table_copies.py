"""Rows of a table with the same SOPInstanceUID, where another column identifies the rows; judged as for files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.patient_key import INSTITUTION, ISSUER
from monai_unlearn.index.row_faults import with_fault
from monai_unlearn.index.store.schema import same_sql
from monai_unlearn.index.tables.table_sql import quoted
from monai_unlearn.index.usable import usable_array

if TYPE_CHECKING:
    from collections.abc import Collection

    import duckdb

    from monai_unlearn.index.patient_key import PatientKey

UID = "SOPInstanceUID"
# Of the rows that agree, the first counts in the order of their identifiers.
_COPIES = """
with traits as (select named.image_id, named.{uid} as uid, {same} as traits from ({rows}) named
    left join aliases on aliases.node = {node}
), numbered as (
    select image_id, row_number() over (partition by uid, traits order by image_id) as place,
        min(traits) over (partition by uid) <> max(traits) over (partition by uid) as contradict
    from traits where uid in (select uid from traits group by uid having count(*) > 1)
)
select image_id, place > 1 from numbered where place > 1 or contradict
"""


@dataclass(frozen=True)
class TableCopies:
    """The rows with the SOPInstanceUID of another row, by their identifiers.

    Attributes:
        copies: Those that agree with another row; they do not count.
        conflicts: Those that count although they contradict another.
    """

    copies: frozenset[str] = frozenset()
    conflicts: frozenset[str] = frozenset()

    @classmethod
    def find(
        cls, connection: duckdb.DuckDBPyConnection, statement: str, names: Collection[str], key: PatientKey
    ) -> TableCopies:
        """Find them.

        Args:
            connection: The connection with the table, and with the table `aliases` of `identities.py`.
            statement: What selects the rows of the index; see `table_statement`.
            names: The columns of the index.
            key: What makes two identifiers one patient.
        """
        if UID not in names:
            return cls()

        def text(name: str) -> str:
            return f"CAST(named.{quoted(name)} AS VARCHAR)" if name in names else "CAST(NULL AS VARCHAR)"

        node = key.sql("named.patient", text(ISSUER), text(INSTITUTION))
        owner = f"coalesce(aliases.patient, {node})"
        own = [text(name) for name in ("study", "ManufacturerModelName", "DeviceSerialNumber")]
        query = _COPIES.format(uid=quoted(UID), rows=statement, node=node, same=same_sql(owner, *own))
        found = connection.execute(query).fetchall()
        return cls(
            frozenset(name for name, is_copy in found if is_copy),
            frozenset(name for name, is_copy in found if not is_copy),
        )

    def apply(self, rows: pa.Table) -> pa.Table:
        """Return rows of the index with the faults of copies."""
        for fault, names in (
            (Fault.DUPLICATE_SOP_INSTANCE_UID, self.copies),
            (Fault.CONFLICTING_DUPLICATE, self.conflicts),
        ):
            which = pc.is_in(rows["image_id"], pa.array(sorted(names), pa.string()))
            rows = with_fault(rows, pc.and_(which, usable_array(rows["fault"])), fault)
        return rows
