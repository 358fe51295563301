"""Replaces identifiers of patients, studies and accessions by keyed hashes, before anything is written.

HMAC-SHA-256 (RFC 2104 with FIPS 180-4): anyone with the key can compute the pseudonym of an identifier; nobody else can
link the two, however short the identifiers are. The key is never stored with an index; a fingerprint of it is, so that
rows of different keys are never mixed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.patient_key import ISSUED_BY
from monai_unlearn.index.tables.read_table import SourceTable
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.placeholders import is_placeholder

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from monai_unlearn.index.tables.key import Key

SHORTEST_KEY = 16
_LONGEST_KEY = 4096
_PSEUDONYM = re.compile(r"[0-9a-f]{64}")
# The kind of identifier in a column with this name. The same identifier has different pseudonyms as two kinds, so that
# an accession number that equals a patient's identifier does not reveal it.
_DOMAINS = {
    "patient": re.compile(r"(?i)(?:patient|subject|person)s?[ _]*(?:ids?|number|no)?|mrn|medical_record_number"),
    "study": re.compile(r"(?i)stud(?:y|ies)[ _]*(?:ids?|uids?|instance_?uids?|number)?"),
    "accession": re.compile(r"(?i)accession[ _]*(?:ids?|number|no)?"),
}


@dataclass(frozen=True)
class Pseudonyms:
    """Replaces identifiers by hashes under a key.

    Attributes:
        key: The key, at least 16 bytes.
    """

    key: bytes = field(repr=False)

    @classmethod
    def read(cls, path: Path, *, apart_from: Path | None = None) -> Pseudonyms:
        """Read a key file: all its bytes, without a final line break.

        Args:
            path: The file.
            apart_from: The folder of the index, which must not contain the key.

        Raises:
            IndexReadError: The file cannot be read, is too short or too long for a key, or is inside the index.
        """
        if apart_from is not None and apart_from.resolve() in path.resolve().parents:
            raise IndexReadError(f"{path}: expected the key outside the index, got it inside. Store it elsewhere.")
        try:
            with path.open("rb") as stream:
                key = stream.read(_LONGEST_KEY + 1).rstrip(b"\r\n")
        except OSError as error:
            raise IndexReadError(f"{path}: the key cannot be read ({error.strerror or 'I/O error'}).") from None
        if not SHORTEST_KEY <= len(key) <= _LONGEST_KEY:
            raise IndexReadError(
                f"{path}: expected a key of {SHORTEST_KEY} to {_LONGEST_KEY} bytes, got "
                f"{len(key) if len(key) <= _LONGEST_KEY else 'more'}. Make one: openssl rand -hex 32 > {path.name}"
            )
        return cls(key)

    @property
    def fingerprint(self) -> str:
        """Identifies the key, and reveals no more about it than any pseudonym does."""
        return self._hash("fingerprint", "")[:16]

    def of(self, domain: str, identifier: str) -> str:
        """Return the pseudonym of an identifier: 64 hexadecimal digits.

        Args:
            domain: `patient`, `study` or `accession`.
            identifier: The identifier, without padding.
        """
        return self._hash(domain, identifier)

    def rows(self, rows: pa.Table) -> pa.Table:
        """Return the rows of files with pseudonyms in every column whose name is that of an identifier."""
        for name, change in (("other_ids", self._other_ids), ("birth_check", partial(self._hash, "birth"))):
            if name in rows.column_names:
                changed = [None if text is None else change(text) for text in rows[name].to_pylist()]
                position = rows.column_names.index(name)
                rows = rows.set_column(position, rows.schema.field(position), pa.array(changed, pa.string()))
        return self.columns(rows, rows.column_names)

    def _other_ids(self, text: str) -> str:
        """Return identifiers of a patient, each with its issuer, with a pseudonym for each identifier."""
        parts = [other.partition(ISSUED_BY) for other in text.split("\\")]
        return "\\".join(self._hash("patient", name) + mark + issuer for name, mark, issuer in parts)

    def columns(self, table: pa.Table, names: Collection[str]) -> pa.Table:
        """Return a table with pseudonyms in the columns whose names are those of identifiers.

        Args:
            table: Any table; these columns become text.
            names: Which of its columns to consider.
        """
        for position, name in enumerate(table.column_names):
            domain = domain_of(name)
            if domain is not None and name in names:
                table = table.set_column(position, name, self._column(table.column(position), domain))
        return table

    def table(self, table: SourceTable, *, patient: str | None = None, key: Key | None = None) -> SourceTable:
        """Return a table to join, with pseudonyms in place of identifiers.

        Args:
            table: The table.
            patient: A column with identifiers of patients, whatever its name.
            key: How the table is matched: a column that is matched with an identifier contains such identifiers.
        """
        names = {name: domain for name in table.kinds if (domain := domain_of(name)) is not None}
        if patient is not None and patient in table.kinds:
            names[patient] = "patient"
        if key is not None and key.field is not None and key.column in table.kinds:
            # A column that is matched with file names contains no identifiers, whatever its name.
            names.pop(key.column, None)
            domain = domain_of(key.field)
            names.update({} if domain is None else {key.column: domain})
        typed, texts = table.typed, table.texts
        for name, domain in names.items():
            hashed = self._column(texts[name], domain)
            typed = typed.set_column(typed.column_names.index(name), name, hashed)
            texts = texts.set_column(texts.column_names.index(name), name, hashed)
        kinds = {**table.kinds, **dict.fromkeys(names, Kind.TEXT)}
        return SourceTable(path=table.path, kinds=kinds, typed=typed, texts=texts, missing=table.missing)

    def _column(self, column: pa.ChunkedArray, domain: str) -> pa.ChunkedArray:
        """Hash each distinct value once; a placeholder for a patient stays one, and identifies nobody."""
        texts = column.cast(pa.string())
        different = pc.unique(texts.drop_null())
        is_patient = domain == "patient"
        hashed = pa.array(
            [
                text if is_patient and is_placeholder(text, zeros=False) else self._hash(domain, text)
                for text in different.to_pylist()
            ],
            pa.string(),
        )
        return pa.chunked_array([hashed.take(pc.index_in(chunk, different)) for chunk in texts.chunks], pa.string())

    def _hash(self, domain: str, text: str) -> str:
        return hmac.new(self.key, f"{domain}\0{text}".encode(), hashlib.sha256).hexdigest()


def is_pseudonym(text: str) -> bool:
    """Return whether a text looks like a pseudonym.

    >>> is_pseudonym("0a" * 32), is_pseudonym("MRN-0077")
    (True, False)
    """
    return _PSEUDONYM.fullmatch(text) is not None


def domain_of(name: str) -> str | None:
    """Return what a column with this name identifies: `patient`, `study` or `accession`; null if nothing."""
    spelled = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).replace("-", "_")
    return next((domain for domain, pattern in _DOMAINS.items() if pattern.fullmatch(spelled)), None)
