"""Columns of a pseudonymised index that may still say who a patient is, and what the user decided about each.

Identifiers are replaced by hashes, the further ones of a patient in `patient_ids` included, so nothing is to be decided
about these columns. But names also stand in paths, in free text such as a Study Description, in columns of tables, and
in whatever a private tag holds. No programme can tell whether they do. So each such column is named, and the user drops
it (`--drop`) or takes responsibility for it (`--keep`); nothing is read before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from monai_unlearn.errors import IndexReadError, did_you_mean
from monai_unlearn.index.doubts import DOUBTS, SEPARATOR
from monai_unlearn.index.pseudonyms import domain_of
from monai_unlearn.index.scan.extra_tags import RAW_VALUES
from monai_unlearn.index.scan.personal import is_personal
from monai_unlearn.index.tag_path import TagPath
from monai_unlearn.vocabulary.fields import vocabulary

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from monai_unlearn.index.scan.extra_tags import ExtraTags
    from monai_unlearn.vocabulary.fields import Kind

PATH = "path"
# Keywords of the vocabulary that people type freely, or that name a place (DICOM PS3.15 table E.1-1).
FREE_TEXT = ("InstitutionName", "StudyDescription", "SeriesDescription", "ProtocolName")
# Requested tags of these value representations may hold any text.
_FREE = frozenset(("LO", "LT", "SH", "ST", "UC", "UN", "UR", "UT", None))


@dataclass(frozen=True)
class Decisions:
    """What the user decided about columns that may identify people.

    Attributes:
        drop: Columns that are not indexed.
        keep: Columns that are indexed as they are.
    """

    drop: frozenset[str] = frozenset()
    keep: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, drop: Sequence[str], keep: Sequence[str], *, is_pseudonymised: bool) -> Decisions:
        """Take the options of a command line: columns, several of them joined by commas or repeated.

        Raises:
            IndexReadError: A column is both dropped and kept, or the index is not pseudonymised.
        """
        decisions = cls(frozenset(_split(drop)), frozenset(_split(keep)))
        if (drop or keep) and not is_pseudonymised:
            raise IndexReadError("--drop and --keep decide what a pseudonymised index holds: give --pseudonymise too.")
        if both := sorted(decisions.drop & decisions.keep):
            raise IndexReadError(f"--drop {both[0]} and --keep {both[0]}: give one of them.")
        return decisions

    def check(self, extra: ExtraTags, tables: Mapping[str, Kind], *, telling: Sequence[str] = ()) -> None:
        """Refuse to index while a column that may identify people is undecided.

        Args:
            extra: The tags that the user asked for.
            tables: The columns of the tables, without those whose identifiers are hashed.
            telling: Those of them that hold the names of files, or many different texts.

        Raises:
            IndexReadError: A column is undecided, or a decided one does not exist.
        """
        known = {PATH, *vocabulary().dicom, *extra.kinds, *tables}
        for name in sorted(self.drop | self.keep):
            if name not in known:
                option = "--drop" if name in self.drop else "--keep"
                raise IndexReadError(f"{option} {name}: the index has no such column.{did_you_mean(name, known)}")
        named = dict.fromkeys([*_identifying(extra, tables), *telling])
        undecided = [name for name in named if name not in self.drop | self.keep]
        if undecided:
            listed = " ".join(f"--drop {_quoted(name)}" for name in undecided)
            raise IndexReadError(
                f"--pseudonymise replaces identifiers; these columns may name patients all the same: "
                f"{', '.join(undecided)}. Drop each of them, or keep it with --keep where you know that it names "
                f"nobody: {listed}"
            )

    def without_dropped(self, rows: pa.Table) -> pa.Table:
        """Return the rows of files with null in the columns that are dropped; the path is needed until the end."""
        for name in sorted(self.drop - {PATH} & set(rows.column_names)):
            position = rows.column_names.index(name)
            field = rows.schema.field(position)
            rows = rows.set_column(position, field, pa.nulls(rows.num_rows, field.type))
        return self._without_doubts(rows)

    def _without_doubts(self, rows: pa.Table) -> pa.Table:
        """Return the rows without what the columns of doubts say of dropped columns, such as their shortened dates."""
        for name in DOUBTS if self.drop else ():
            if name in rows.column_names:
                position = rows.column_names.index(name)
                kept = [_without_entries(text, self.drop) for text in rows[name].to_pylist()]
                rows = rows.set_column(position, rows.schema.field(position), pa.array(kept, pa.string()))
        return rows

    def remaining(self, names: Iterable[str]) -> list[str]:
        """Return the columns that stay; `path` stays without values."""
        return [name for name in names if name == PATH or name not in self.drop]


def _without_entries(text: str | None, keywords: Collection[str]) -> str | None:
    entries = text.split(SEPARATOR) if text else []
    return SEPARATOR.join(entry for entry in entries if entry.partition("=")[0] not in keywords) or None


def _identifying(extra: ExtraTags, tables: Collection[str]) -> list[str]:
    tags = [tag for tag in extra.tags if _is_free(TagPath.parse(tag))]
    raw = [RAW_VALUES] if extra.raw_values else []
    return [PATH, *FREE_TEXT, *tags, *raw, *(name for name in tables if is_personal(name))]


def _is_free(path: TagPath) -> bool:
    return domain_of(str(path.last)) is None and (
        path.last.vr in _FREE or any(step.creator is not None for step in path.steps)
    )


def _split(given: Sequence[str]) -> list[str]:
    """Split at commas, except in the brackets of a private tag."""
    return [part.strip() for text in given for part in re.findall(r"(?:\([^)]*\)|[^,(])+", text) if part.strip()]


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[\w.]+", name) else f"'{name}'"
