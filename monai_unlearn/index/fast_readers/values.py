"""From the bytes of a value to the value of its column, exactly as the pydicom reader returns it.

Common values are decoded without pydicom. Whatever is not certain is an `OddFileError`, and the pydicom reader reads
the file.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from pydicom.charset import convert_encodings
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement, convert_raw_data_element
from pydicom.tag import Tag

from monai_unlearn.index.faults import WHOLE_SLIDE_CLASS
from monai_unlearn.index.readers.functional_groups import GROUPS
from monai_unlearn.index.readers.lenient import lenient_values
from monai_unlearn.index.readers.row import Row, laterality, read_columns, tag_paths, tagged
from monai_unlearn.index.values import LONGEST_UID, UIDS, UNDECODED, Value, coerce, is_empty, is_placeholder_age
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.laterality import LATERALITY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monai_unlearn.index.tag_path import TagPath

# Character sets that contain ASCII, without escape sequences (DICOM PS3.3 section C.12.1.1.2).
_PLAIN_CHARSETS: Mapping[bytes, str] = {b"": "iso8859", b"ISO_IR 6": "iso8859", b"ISO_IR 100": "latin_1"}
_UTF_8 = b"ISO_IR 192"
_ESCAPE, _BACKSLASH = b"\x1b", b"\\"
# pydicom decodes a single ASCII value of these to itself.
_TEXTUAL = frozenset(("AE", "AS", "CS", "DA", "DT", "LO", "LT", "SH", "ST", "TM"))
# Text of these is in the file's character set (DICOM PS3.5 section 6.1.2.3).
_OF_A_CHARSET = frozenset(("LO", "LT", "PN", "SH", "ST", "UC", "UN", "UT"))
_UID = re.compile(rb"\d+(?:\.\d+)*")
_MOST_CACHED = 4096
# A value that no other file has is not worth a place in a cache.
_NEVER_TWICE = "SOPInstanceUID"


class OddFileError(Exception):
    """A file is unusual: only the pydicom reader reads it for certain."""


@dataclass(frozen=True)
class Column:
    """A wanted keyword, with a cache of its decoded values.

    Attributes:
        keyword: The DICOM keyword.
        tag: Its number.
        vr: Its value representation in the dictionary.
        kind: The kind of its column; null for a tag whose bytes alone are wanted.
        known: Decoded values by value representation and bytes, where no character set changes them.
    """

    keyword: str
    tag: int
    vr: str
    kind: Kind | None
    known: dict[tuple[str, bytes], Value] = field(default_factory=dict, repr=False)
    _of_a_charset: dict[tuple[str, bytes, bytes], Value] = field(default_factory=dict, repr=False)

    def value(self, vr: str, raw: bytes, charset: bytes) -> Value:
        """Return the value for these bytes.

        Args:
            vr: The value representation that the file states.
            raw: The bytes, with their padding, little endian.
            charset: The file's Specific Character Set, without padding.

        Raises:
            OddFileError: They are invalid or in doubt for the keyword, or cannot be decoded for certain.
        """
        if self.keyword == _NEVER_TWICE:
            return self._decode(vr, raw, charset)
        if vr not in _OF_A_CHARSET or (raw.isascii() and _ESCAPE not in raw):
            return _cached(self.known, (vr, raw), lambda: self._decode(vr, raw, charset))
        return _cached(self._of_a_charset, (vr, raw, charset), lambda: self._decode(vr, raw, charset))

    def _decode(self, vr: str, raw: bytes, charset: bytes) -> Value:
        if not raw:
            return None
        if self.keyword in UIDS:
            plain = raw.rstrip(b"\0 ")
            if len(plain) <= LONGEST_UID and _UID.fullmatch(plain):
                return plain.decode("ascii")
        is_plain = raw.isascii() and _ESCAPE not in raw and _BACKSLASH not in raw
        if is_plain and vr in _TEXTUAL and self.keyword not in UIDS and self.kind is not None:
            value: object = raw.decode("ascii")
            decoded = coerce(self.kind, value)
        else:
            value = self._decode_with_pydicom(vr, raw, charset)
            decoded = tagged({self.keyword: value})[0][self.keyword]
        if (decoded is None and not is_empty(value)) or (self.kind is Kind.AGE and is_placeholder_age(value)):
            raise OddFileError  # invalid, shortened or a placeholder: the pydicom reader notes it
        return decoded

    def _decode_with_pydicom(self, vr: str, raw: bytes, charset: bytes) -> object:
        if vr in _OF_A_CHARSET and not raw.isascii() and charset not in (b"ISO_IR 100", _UTF_8):
            raise OddFileError
        element = RawDataElement(Tag(self.tag), vr, len(raw), raw, 0, False, True, True)  # noqa: FBT003 - a tuple
        try:
            with warnings.catch_warnings(), lenient_values():
                warnings.simplefilter("ignore")
                encodings = convert_encodings([charset.decode("ascii")] if charset else None)
                value: object = convert_raw_data_element(element, encoding=encodings).value
        except Exception:  # noqa: BLE001 - malformed bytes may raise anything; the pydicom reader judges them
            raise OddFileError from None
        if UNDECODED in str(value):
            raise OddFileError
        return value


def _cached(cache: dict[Any, Value], key: tuple[object, ...], decode: Callable[[], Value]) -> Value:
    try:
        return cache[key]
    except KeyError:
        found = decode()
    if len(cache) >= _MOST_CACHED:
        cache.clear()
    cache[key] = found
    return found


def add_derived(row: Row) -> None:
    """Set what is found from several tags of a row: the side of the image.

    Raises:
        OddFileError: The tags contradict each other or are invalid, or it is a whole slide; the pydicom reader finds
            the fault.
    """
    found, fault = laterality(row)
    if fault is not None or row["SOPClassUID"] == WHOLE_SLIDE_CLASS:
        raise OddFileError
    row[LATERALITY] = found


def knows_plain_charset(charset: bytes) -> bool:
    """Return whether text with this Specific Character Set, given without padding, is decoded here."""
    return charset in _PLAIN_CHARSETS or charset == _UTF_8


@cache
def wanted_columns() -> tuple[Column, ...]:
    """Return the keywords of a row, in the order of its columns; only the pydicom reader reads other paths."""
    paths = tag_paths()
    return tuple(column_of(keyword, kind) for keyword, kind in read_columns().items() if _is_element(paths[keyword]))


@cache
def odd_tags() -> frozenset[int]:
    """Return the tags of which the pydicom reader must read a file: functional groups, sequences and private tags."""
    return frozenset((*GROUPS, *(tag for path in tag_paths().values() if not _is_element(path) for tag in path.roots)))


def _is_element(path: TagPath) -> bool:
    return path.is_plain and path.last.vr != "SQ"


def column_of(keyword: str, kind: Kind | None = None) -> Column:
    """Return a keyword as a column, of the given kind."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ValueError(keyword)
    return Column(keyword, tag, dictionary_VR(tag), kind)
