"""Which character sets a DICOM file may declare: pydicom decodes text of an unknown one as another."""

from __future__ import annotations

import codecs
from functools import lru_cache

import pydicom
from pydicom.charset import convert_encodings, python_encoding
from pydicom.multival import MultiValue


def knows_charset(value: object) -> bool:
    """Return whether text with this Specific Character Set can be decoded (DICOM PS3.3 section C.12.1.1.2).

    Args:
        value: The value of the tag as pydicom decodes it: a term, several of them, or nothing.
    """
    terms = value if isinstance(value, list | MultiValue) else [value]
    return all(term is None or (isinstance(term, str) and _knows(term)) for term in terms)


@lru_cache(maxsize=1024)
def _knows(term: str) -> bool:
    """Return whether pydicom maps a term, common misspellings included, to an encoding of DICOM.

    pydicom would accept every encoding that Python has, and some of these take minutes for a megabyte.
    """
    if term in python_encoding:
        return True
    settings = pydicom.config.settings
    before = settings.reading_validation_mode
    settings.reading_validation_mode = pydicom.config.RAISE
    try:
        found = {codecs.lookup(encoding).name for encoding in convert_encodings(term)}
    except (LookupError, ValueError):
        return False
    finally:
        settings.reading_validation_mode = before
    return found <= {codecs.lookup(encoding).name for encoding in python_encoding.values()}
