"""Who is a patient in a whole archive: several identifiers of one patient, and contradictions between its images.

Both `index build` and `index from-table` give the people of their rows as a table `people` in DuckDB; the result is
applied to the rows of the index batch by batch. Only patients with several identifiers, and those with a note, are held
in memory.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.patient_key import ISSUED_BY, PatientKey
from monai_unlearn.index.row_faults import with_fault
from monai_unlearn.index.usable import usable_array
from monai_unlearn.vocabulary.placeholders import is_placeholder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import duckdb

    from monai_unlearn.index.assemble import Collected

# What `people` has for every usable row with a patient: its PatientID, the tags that qualify it, further identifiers
# (joined by backslashes, each with its issuer behind ^^^ where it states one), and what should be the same for one
# patient. All are texts.
PEOPLE = ("id", "issuer", "institution", "others", "sex", "birth", "study")
_IDS_A_BATCH = 50_000


@dataclass(frozen=True)
class Identities:
    """The patients of an archive.

    Attributes:
        key: What makes two identifiers one patient.
        patient: The patient of each key that is one of several of its patient.
        ids: Every identifier of such a patient.
        shared: PatientIDs that several patients have; possible only if the key has further tags.
        noted: The patients, PatientIDs or studies that have a note, by its fault.
    """

    key: PatientKey = field(default_factory=PatientKey)
    patient: Mapping[str, str] = field(default_factory=dict)
    ids: Mapping[str, frozenset[str]] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()
    noted: Mapping[Fault, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def find(cls, connection: duckdb.DuckDBPyConnection, key: PatientKey, *, zeros: bool = True) -> Identities:
        """Find the patients among the rows of the table `people`, and drop it.

        Args:
            connection: The connection that has the table.
            key: What makes two identifiers one patient.
            zeros: Whether a PatientID of zeros is a placeholder.
        """
        node = key.sql("id", "issuer", "institution")
        _leave_out_placeholders(connection, zeros=zeros)
        connection.execute(f"create temp view keyed as select *, {node} as node from people")  # noqa: S608 - constants
        patient, ids = _several_ids(connection, key)
        _register(connection, "aliases", {"node": list(patient), "patient": list(patient.values())})
        connection.execute(
            "create temp view owned as select keyed.*, coalesce(aliases.patient, node) as patient "
            "from keyed left join aliases using (node)"
        )
        shared = frozenset() if key.is_plain else _differing(connection, "id", "patient")
        noted = {
            Fault.PATIENT_WITH_TWO_SEXES: _differing(connection, "patient", "upper(trim(sex))"),
            Fault.PATIENT_WITH_TWO_BIRTH_DATES: _differing(connection, "patient", "birth"),
            Fault.STUDY_WITH_TWO_PATIENTS: _differing(connection, "study", "patient"),
        }
        if not key.issuer:
            noted[Fault.PATIENT_WITH_TWO_ISSUERS] = _differing(connection, "node", "issuer")
        connection.execute("drop view owned; drop view keyed; drop table people")  # memory that others need
        return cls(key, patient, ids, shared, noted)

    def apply(self, rows: pa.Table, *, issuer: str = "issuer", institution: str = "InstitutionName") -> pa.Table:
        """Return rows with their patients, all identifiers of each, and the notes on patients and studies.

        Args:
            rows: Rows of the index; `patient` is the PatientID so far.
            issuer: The column of issuers, if there is one.
            institution: The column of institutions, if there is one.
        """
        identifiers = rows["patient"]
        empty = pa.nulls(rows.num_rows, pa.string())
        columns = [rows[name] if name in rows.column_names else empty for name in (issuer, institution)]
        nodes = identifiers if self.key.is_plain else self._nodes(identifiers, *(c.to_pylist() for c in columns))
        patients = _mapped(nodes, self.patient)
        rows = _set(_set(rows, "patient", patients), "patient_ids", self._all_ids(identifiers, nodes, patients))
        named = pc.and_(usable_array(rows["fault"]), pc.is_valid(patients))
        of = {Fault.PATIENT_WITH_TWO_ISSUERS: nodes, Fault.STUDY_WITH_TWO_PATIENTS: rows["study"]}
        for fault, members in self._noted.items():
            rows = with_fault(rows, pc.and_(named, pc.is_in(of.get(fault, patients), members)), fault)
        return rows

    @cached_property
    def _noted(self) -> Mapping[Fault, pa.Array]:
        """What is noted, in a form that is searched fast: rows come in many batches."""
        return {fault: pa.array(members, pa.string()) for fault, members in self.noted.items() if members}

    def _nodes(
        self, identifiers: pa.ChunkedArray, issuers: list[str | None], institutions: list[str | None]
    ) -> pa.ChunkedArray:
        parts = zip(identifiers.to_pylist(), issuers, institutions, strict=True)
        nodes = [None if name is None else self.key.of(name, issuer, at) for name, issuer, at in parts]
        return pa.chunked_array([pa.array(nodes, pa.string())])

    def _all_ids(
        self, identifiers: pa.ChunkedArray, nodes: pa.ChunkedArray, patients: pa.ChunkedArray
    ) -> pa.ChunkedArray:
        if self.key.is_plain:
            return _mapped(patients, {patient: "\\".join(sorted(ids)) for patient, ids in self.ids.items()})
        texts = []
        for name, node, patient in zip(identifiers.to_pylist(), nodes.to_pylist(), patients.to_pylist(), strict=True):
            own = {node, *(() if name in self.shared else (name,))}
            texts.append(None if node is None else "\\".join(sorted(self.ids.get(patient, own))))
        return pa.chunked_array([pa.array(texts, pa.string())])


def identities_of(connection: duckdb.DuckDBPyConnection, collected: Collected, key: PatientKey) -> Identities:
    """Find the patients among the files of a build.

    Args:
        connection: A connection from `digest.engine`; it has the table `aliases` afterwards.
        collected: The files.
        key: What makes two identifiers one patient.
    """
    connection.execute(
        "create temp table people as select files.PatientID as id, issuer, InstitutionName as institution, "
        "other_ids as others, PatientSex as sex, birth_check as birth, StudyInstanceUID as study "
        "from read_parquet($files, file_row_number = true) files "
        "join read_parquet($ids, file_row_number = true) ids using (file_row_number) "
        "where ids.is_dicom and files.PatientID is not null",
        {"files": str(collected.files), "ids": str(collected.ids)},
    )
    return Identities.find(connection, key)


def contradictions_of(connection: duckdb.DuckDBPyConnection, people: Iterable[pa.Table]) -> Identities:
    """Find the notes on patients that a table names: each name is one patient.

    Args:
        connection: A connection from `digest.engine`.
        people: Batches with the columns `PEOPLE`.
    """
    connection.execute(f"create temp table people ({', '.join(f'{name} varchar' for name in PEOPLE)})")
    for batch in people:
        connection.register("named", batch)
        connection.execute("insert into people select * from named")
        connection.unregister("named")
    return Identities.find(connection, PatientKey(), zeros=False)


def _leave_out_placeholders(connection: duckdb.DuckDBPyConnection, *, zeros: bool) -> None:
    """Delete the people whose PatientID is a placeholder; readers of files have done so already."""
    found: list[str] = []
    names = connection.execute("select distinct id from people")
    while batch := names.fetchmany(_IDS_A_BATCH):
        found += [name for (name,) in batch if is_placeholder(name, zeros=zeros)]
    if found:
        _register(connection, "placeholders", {"id": found})
        connection.execute("delete from people where id in (select id from placeholders)")


def _several_ids(
    connection: duckdb.DuckDBPyConnection, key: PatientKey
) -> tuple[dict[str, str], dict[str, frozenset[str]]]:
    """Return the patient of each key that has company, and all identifiers of each such patient.

    One patient has every identifier that a chain of OtherPatientIDs connects; it is named by the first of its
    PatientIDs in alphabetical order.
    """
    said = connection.execute(
        "select distinct node, id, issuer, institution, others from keyed where others is not null order by all"
    ).fetchall()
    links = [(row, *_parts(other)) for row in said for other in row[4].split("\\")]
    links = [(row, name, issuer) for row, name, issuer in links if name and not is_placeholder(name)]
    present = _present(connection, {name for _, name, _ in links})
    groups = _Groups()
    names: dict[str, set[str]] = defaultdict(set)
    # Identifiers with an issuer that the image of the other identifier does not state: a list may have it.
    stated: dict[str, set[str]] = defaultdict(set)
    for (node, identifier, own_issuer, institution, _), name, issuer in links:
        other = key.of(name, issuer or own_issuer, institution)
        # An identifier whose issuer nobody else states is still the same if only one patient of the archive has it.
        found = present.get(name, set())
        if other not in found and len(found) == 1:
            stated[node].add(other)
            (other,) = found
        groups.join(node, other)
        names[node].add(identifier)
        names[other].add(name)
    owners = {node for row, *_ in links for node in (row[0],)} | {node for nodes in present.values() for node in nodes}
    patient: dict[str, str] = {}
    ids: dict[str, frozenset[str]] = {}
    for members in groups.members():
        first = min(member for member in members if member in owners)
        patient.update(dict.fromkeys(members, first))
        bare = {name for member in members for name in names[member]}
        shared = {name for name in bare if not present.get(name, set()) <= members}
        ids[first] = frozenset({*members, *(bare - shared), *(name for member in members for name in stated[member])})
    return patient, ids


def _parts(text: str) -> tuple[str, str | None]:
    name, _, issuer = text.partition(ISSUED_BY)
    return name.strip(), issuer.strip() or None


def _present(connection: duckdb.DuckDBPyConnection, names: set[str]) -> dict[str, set[str]]:
    """Return the keys of the archive that have one of these PatientIDs, by it."""
    _register(connection, "wanted", {"id": sorted(names)})
    found: dict[str, set[str]] = defaultdict(set)
    for name, node in connection.execute("select distinct id, node from keyed semi join wanted using (id)").fetchall():
        found[name].add(node)
    return found


class _Groups:
    """Disjoint sets of texts."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def join(self, left: str, right: str) -> None:
        self._parent[self._root(right)] = self._root(left)

    def members(self) -> Iterator[set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for member in list(self._parent):
            found[self._root(member)].add(member)
        yield from found.values()

    def _root(self, member: str) -> str:
        while self._parent.setdefault(member, member) != member:
            self._parent[member] = self._parent[self._parent[member]]
            member = self._parent[member]
        return member


def _differing(connection: duckdb.DuckDBPyConnection, group: str, value: str) -> frozenset[str]:
    """Return the groups with several different values."""
    statement = f"select {group} from owned where {group} is not null group by 1 "  # noqa: S608 - constants
    found = connection.execute(f"{statement} having min({value}) <> max({value})").fetchall()
    return frozenset(name for (name,) in found)


def _register(connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, list[str]]) -> None:
    connection.register(name, pa.table({key: pa.array(values, pa.string()) for key, values in columns.items()}))


def _mapped(column: pa.ChunkedArray, values: Mapping[str, str]) -> pa.ChunkedArray:
    """Return a column in which some values are replaced."""
    if not values:
        return column
    place = pc.index_in(column, pa.array(list(values), pa.string()))
    return pc.coalesce(pa.array(list(values.values()), pa.string()).take(_flat(place)), column)


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _set(rows: pa.Table, name: str, column: pa.ChunkedArray) -> pa.Table:
    if name in rows.column_names:
        return rows.set_column(rows.column_names.index(name), name, column)
    return rows.append_column(name, column)
