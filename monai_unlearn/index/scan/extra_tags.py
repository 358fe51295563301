"""What an index contains only on request: further DICOM keywords, and the raw text of invalid values.

Names, birth dates and accession numbers are left out of an index unless the user asks for them by keyword. The text in
place of an invalid date may be anything, such as a name, and is also left out. What the user requests is read from
the files in a second pass, and stored as one JSON text per file until the index is written.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from monai_unlearn.errors import IndexReadError, did_you_mean
from monai_unlearn.index.pseudonyms import domain_of
from monai_unlearn.index.readers.row import EXTRA_TAGS, tag_columns
from monai_unlearn.index.store.schema import arrow_type
from monai_unlearn.index.usable import is_usable
from monai_unlearn.index.values import coerce
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monai_unlearn.index.pseudonyms import Pseudonyms

RAW_VALUES = "raw_values"
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
        tags: DICOM keywords.
        raw_values: Whether the raw text of invalid values is kept, in the column `raw_values`.
    """

    tags: tuple[str, ...] = ()
    raw_values: bool = False

    @classmethod
    def of(cls, tags: Sequence[str], *, raw_values: bool, pseudonyms: Pseudonyms | None) -> ExtraTags:
        """Take the options of a command line; keywords that every index contains are ignored.

        Raises:
            IndexReadError: A keyword is not a DICOM keyword, has values that no column can hold, or would reveal a
                person in a pseudonymised index.
        """
        wanted = tuple(dict.fromkeys(tag for tag in tags if _kind_of(tag) and tag not in tag_columns()))
        for tag in wanted:
            if pseudonyms is not None and domain_of(tag) is None and _names_a_person(tag):
                raise IndexReadError(
                    f"--tag {tag}: it would reveal who is behind a pseudonym. Leave out --tag, or --pseudonymise."
                )
        return cls(wanted, raw_values)

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """The additional columns, with the kinds of their values."""
        kinds = {tag: _kind_of(tag) for tag in self.tags}
        return {**kinds, RAW_VALUES: Kind.TEXT} if self.raw_values else kinds

    @property
    def mark(self) -> str:
        """Identifies the request: rows that were read for another one are not reused."""
        return ",".join(sorted(self.kinds))

    def rows(self, rows: pa.Table, pseudonyms: Pseudonyms | None) -> pa.Table:
        """Return the rows of files, with what is asked for as JSON in the column `extra_tags`.

        Args:
            rows: One row per file, as the readers return them.
            pseudonyms: What replaces identifiers; an invalid identifier is then not kept.
        """
        if not self.kinds:
            return rows
        columns = rows.select(["path", "format", "fault", *tag_columns()]).to_pylist()
        texts = [
            self._read(row, pseudonyms) if row["format"] == "dicom" and is_usable(row["fault"]) else None
            for row in columns
        ]
        position = rows.column_names.index(EXTRA_TAGS)
        return rows.set_column(position, rows.schema.field(position), pa.array(texts, pa.string()))

    def columns(self, rows: pa.Table) -> pa.Table:
        """Return the rows with what was read as separate columns."""
        found = [json.loads(text) if text else {} for text in rows[EXTRA_TAGS].to_pylist()]
        for name, kind in self.kinds.items():
            values = [coerce(kind, texts.get(name)) for texts in found]
            rows = rows.append_column(name, pa.array(values, arrow_type(kind)))
        return rows

    def _read(self, row: Mapping[str, Any], pseudonyms: Pseudonyms | None) -> str | None:
        from monai_unlearn.index.readers.dicom_tags import read_tags, read_texts

        # Only a row with a fault can have an invalid value.
        invalid = [name for name in tag_columns() if row[name] is None] if self.raw_values and row["fault"] else []
        try:
            values: dict[str, Any] = dict(read_tags(Path(row["path"]), self.tags)) if self.tags else {}
            raw = read_texts(Path(row["path"]), invalid) if invalid else {}
        except OSError:  # deleted since it was read
            return None
        if pseudonyms is not None:
            raw = {name: text for name, text in raw.items() if domain_of(name) is None}
            values = {name: _hidden(name, text, pseudonyms) for name, text in values.items()}
        if raw:
            values[RAW_VALUES] = json.dumps(raw, ensure_ascii=False, sort_keys=True)
        return json.dumps(values, ensure_ascii=False, sort_keys=True) if values else None


def _hidden(name: str, text: str, pseudonyms: Pseudonyms) -> str:
    domain = domain_of(name)
    return text if domain is None else pseudonyms.of(domain, text)


def _kind_of(tag: str) -> Kind:
    """Return the kind of a keyword's values.

    Raises:
        IndexReadError: It is not a DICOM keyword, or has values that no column can hold.
    """
    from pydicom.datadict import dictionary_VR, keyword_dict

    if tag not in keyword_dict:
        raise IndexReadError(f"--tag {tag}: DICOM has no such keyword.{did_you_mean(tag, keyword_dict)}")
    vr = str(dictionary_VR(tag)).partition(" ")[0]
    if vr not in _KINDS:
        raise IndexReadError(f"--tag {tag}: expected a keyword of text, numbers, dates or ages, got one of {vr}.")
    return _KINDS[vr]


def _names_a_person(tag: str) -> bool:
    """Return whether a keyword contains a person's name, birth, address or another identifier."""
    from pydicom.datadict import dictionary_VR

    is_patients = tag.startswith(("Patient", "OtherPatient", "IssuerOfPatient", "ResponsiblePerson"))
    parts = ("Birth", "Address", "Telephone", "MotherBirthName", "ID", "Insurance", "Comments")
    return dictionary_VR(tag) == "PN" or "BirthDate" in tag or (is_patients and any(part in tag for part in parts))
