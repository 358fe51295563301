"""What an index contains only on request: further DICOM tags, and the raw text of invalid values.

Names, birth dates and accession numbers are left out of an index unless the user asks for them by keyword. The text in
place of an invalid date may be anything, such as a name, and is also left out. What the user requests is read from
the files in a second pass, and stored as one JSON text per file until the index is written.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.doubts import SEPARATOR, SEVERAL_VALUES, several_entry
from monai_unlearn.index.pseudonyms import domain_of
from monai_unlearn.index.readers.row import EXTRA_TAGS, tag_columns
from monai_unlearn.index.store.schema import arrow_type
from monai_unlearn.index.tag_path import TagPath
from monai_unlearn.index.usable import is_usable, usable_array
from monai_unlearn.index.values import UNDECODED, coerce, distinct
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from monai_unlearn.index.pseudonyms import Pseudonyms
    from monai_unlearn.index.values import Value

    Batch = tuple[pa.Table, pa.Table]  # files and their rows

RAW_VALUES = "raw_values"
# Of these kinds several values are entries of `several_values`; texts are joined, and an image has one age.
_MAY_BE_SEVERAL = frozenset((Kind.NUMBER, Kind.DATE, Kind.DATETIME))
_KINDS = {
    **dict.fromkeys(["AE", "CS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"], Kind.TEXT),
    **dict.fromkeys(["DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"], Kind.NUMBER),
    "DA": Kind.DATE,
    "DT": Kind.DATETIME,
    "AS": Kind.AGE,
}


@dataclass(frozen=True)
class ExtraTags:
    """What the user asks for beyond what every index contains.

    Attributes:
        tags: DICOM tags, as `TagPath` spells them.
        raw_values: Whether the raw text of invalid values is kept, in the column `raw_values`.
    """

    tags: tuple[str, ...] = ()
    raw_values: bool = False

    @classmethod
    def of(cls, tags: Sequence[str], *, raw_values: bool, pseudonyms: Pseudonyms | None) -> ExtraTags:
        """Take the options of a command line; tags that every index contains are ignored.

        Raises:
            IndexReadError: A tag is not a DICOM tag, has values that no column can hold, or would reveal a person in a
                pseudonymised index.
        """
        paths = dict.fromkeys(map(_parsed, tags))
        wanted = tuple(str(path) for path in paths if _kind_of(path) and str(path) not in tag_columns())
        for tag in wanted:
            if pseudonyms is not None and _domain_of(tag) is None and _names_a_person(tag):
                raise IndexReadError(
                    f"--tag {tag}: it would reveal who is behind a pseudonym. Leave out --tag, or --pseudonymise."
                )
        return cls(wanted, raw_values)

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """The additional columns, with the kinds of their values."""
        kinds = {tag: _kind_of(_parsed(tag)) for tag in self.tags}
        return {**kinds, RAW_VALUES: Kind.TEXT} if self.raw_values else kinds

    @property
    def mark(self) -> str:
        """Identifies the request: rows that were read for another one are not reused."""
        return ",".join(sorted(self.kinds))

    def rows(
        self, rows: pa.Table, pseudonyms: Pseudonyms | None, *, dropped: Collection[str] = frozenset()
    ) -> pa.Table:
        """Return the rows of files, with what is asked for as JSON in the column `extra_tags`.

        Args:
            rows: One row per file, as the readers return them.
            pseudonyms: What replaces identifiers; an invalid identifier is then not kept.
            dropped: Columns that are not indexed, and so not read.
        """
        if not self.kinds:
            return rows
        columns = rows.select(["path", "format", "fault", *tag_columns()]).to_pylist()
        texts = [
            self._read(row, pseudonyms, dropped) if row["format"] == "dicom" and is_usable(row["fault"]) else None
            for row in columns
        ]
        position = rows.column_names.index(EXTRA_TAGS)
        return rows.set_column(position, rows.schema.field(position), pa.array(texts, pa.string()))

    def columns(self, rows: pa.Table) -> pa.Table:
        """Return the rows with what was read as separate columns; several numbers or dates are in `several_values`."""
        if not self.kinds:
            return rows
        found = [json.loads(text) if text else {} for text in rows[EXTRA_TAGS].to_pylist()]
        entries = [[text] if text else [] for text in rows[SEVERAL_VALUES].to_pylist()]
        for name, kind in self.kinds.items():
            values = [_values(kind, texts.get(name)) for texts in found]
            one = [next(iter(different), None) if len(different) == 1 else None for different in values]
            rows = rows.append_column(name, pa.array(one, arrow_type(kind)))
            for own, different in zip(entries, values, strict=True):
                own.extend([several_entry(name, different)] if len(different) > 1 else [])
        position = rows.column_names.index(SEVERAL_VALUES)
        joined = pa.array([SEPARATOR.join(entry) or None for entry in entries], pa.string())
        return rows.set_column(position, rows.schema.field(position), joined)

    def _read(self, row: Mapping[str, Any], pseudonyms: Pseudonyms | None, dropped: Collection[str]) -> str | None:
        from monai_unlearn.index.readers.dicom_tags import read_tags, read_texts

        # Only a row with a fault can have an invalid value.
        is_asked = self.raw_values and RAW_VALUES not in dropped and row["fault"]
        invalid = [name for name in tag_columns() if row[name] is None and name not in dropped] if is_asked else []
        tags = [tag for tag in self.tags if tag not in dropped]
        try:
            values: dict[str, Any] = dict(read_tags(Path(row["path"]), tags)) if tags else {}
            raw = read_texts(Path(row["path"]), invalid) if invalid else {}
        except OSError:  # deleted since it was read
            return None
        if pseudonyms is not None:
            raw = {name: text for name, text in raw.items() if _domain_of(name) is None}
        return stored(values, pseudonyms, raw=raw)


@dataclass
class FoundTags:
    """What the files of an index have of the additional tags.

    Attributes:
        files: The number of DICOM images that were searched.
        filled: In how many of them each tag has a value.
        unreadable: In how many of them each tag has a value that is not of its kind, such as text for a date, or that
            cannot be read.
    """

    files: int = 0
    filled: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)

    def noting(self, batches: Iterable[Batch], extra: ExtraTags) -> Iterator[Batch]:
        """Pass batches of files on, and note the tags in their rows."""
        for files, rows in batches:
            if extra.tags:
                self.note(rows, extra.kinds)
            yield files, rows

    def note(self, rows: pa.Table, kinds: Mapping[str, Kind]) -> None:
        """Take rows of files, with what was read as JSON in the column `extra_tags`."""
        is_image = pc.and_(pc.equal(rows["format"], "dicom"), usable_array(rows["fault"]))
        self.files += pc.sum(is_image).as_py() or 0
        for text in rows[EXTRA_TAGS].drop_null().to_pylist():
            for name, value in json.loads(text).items():
                (self.filled if _values(kinds[name], value) else self.unreadable)[name] += 1

    def document(self, tags: Iterable[str]) -> dict[str, Any]:
        """Return for JSON how many DICOM images have each tag."""
        return {tag: {"images": self.filled[tag], "of": self.files, "invalid": self.unreadable[tag]} for tag in tags}


def stored(
    values: Mapping[str, str], pseudonyms: Pseudonyms | None, *, raw: Mapping[str, str] | None = None
) -> str | None:
    """Return what was read of the additional tags as it is stored: JSON, with pseudonyms; null if there is nothing.

    Args:
        values: The text of each tag that has a value.
        pseudonyms: What replaces identifiers.
        raw: The raw texts of invalid values, without identifiers.
    """
    hidden = {name: text if pseudonyms is None else _hidden(name, text, pseudonyms) for name, text in values.items()}
    if raw:
        hidden[RAW_VALUES] = json.dumps(raw, ensure_ascii=False, sort_keys=True)
    return json.dumps(hidden, ensure_ascii=False, sort_keys=True) if hidden else None


def _values(kind: Kind, text: str | None) -> Sequence[Value]:
    """Return the different values of a text, joined by backslashes; none if it is missing or not of this kind."""
    if text is None or text == UNDECODED:
        return ()
    return distinct(kind, text) if kind in _MAY_BE_SEVERAL else [one for one in [coerce(kind, text)] if one is not None]


def _hidden(name: str, text: str, pseudonyms: Pseudonyms) -> str:
    domain = _domain_of(name)
    if domain is None or text == UNDECODED:
        return text
    return "\\".join(pseudonyms.of(domain, part) for part in text.split("\\"))


def _domain_of(tag: str) -> str | None:
    """Return what a tag identifies, by its last keyword: `patient`, `study` or `accession`; null if nothing."""
    return domain_of(tag) if tag == RAW_VALUES else domain_of(str(_parsed(tag).last))


def _parsed(tag: str) -> TagPath:
    """Parse a path.

    Raises:
        IndexReadError: It is not a path.
    """
    try:
        return TagPath.parse(tag)
    except ValueError as error:
        raise IndexReadError(f"--tag {tag}: {error}") from None


def _kind_of(path: TagPath) -> Kind:
    """Return the kind of a tag's values: text where no dictionary has the tag.

    Raises:
        IndexReadError: It has values that no column can hold.
    """
    vr = path.last.vr
    if vr is None:
        return Kind.TEXT
    if vr not in _KINDS:
        raise IndexReadError(f"--tag {path}: expected a tag of text, numbers, dates or ages, got one of {vr}.")
    return _KINDS[vr]


def _names_a_person(tag: str) -> bool:
    """Return whether a tag contains a person's name, birth, address or another identifier."""
    last = _parsed(tag).last
    keyword = str(last)
    is_patients = keyword.startswith(("Patient", "OtherPatient", "IssuerOfPatient", "ResponsiblePerson"))
    parts = ("Birth", "Address", "Telephone", "MotherBirthName", "ID", "Insurance", "Comments")
    return last.vr == "PN" or "BirthDate" in keyword or (is_patients and any(p in keyword for p in parts))
