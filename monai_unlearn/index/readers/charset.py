"""Which character sets a DICOM file may name: what pydicom does not know it would decode as something else."""

from __future__ import annotations

import codecs
from functools import lru_cache

import pydicom
from pydicom.charset import convert_encodings, python_encoding
from pydicom.multival import MultiValue


def knows_charset(value: object) -> bool:
    """Return whether text can be decoded by this Specific Character Set (DICOM PS3.3 section C.12.1.1.2).

    Args:
        value: The value of the tag as pydicom decodes it: a term, several of them, or nothing.
    """
    terms = value if isinstance(value, list | MultiValue) else [value]
    return all(term is None or (isinstance(term, str) and _knows(term)) for term in terms)


@lru_cache(maxsize=1024)
def _knows(term: str) -> bool:
    """Return whether pydicom maps a term, common misspellings included, to an encoding that DICOM has.

    It takes any encoding of Python's, of which some need minutes for a megabyte.
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
