from __future__ import annotations

import pydicom
import pytest
from pydicom.charset import python_encoding
from pydicom.multival import MultiValue

from monai_unlearn.index.readers.charset import knows_charset


@pytest.mark.parametrize("term", sorted(python_encoding))
def test_every_term_of_the_standard_is_known(term):
    assert knows_charset(term)


@pytest.mark.filterwarnings("ignore:Incorrect value for Specific Character Set")
@pytest.mark.parametrize(
    ("value", "known"),
    [
        (None, True),
        ("", True),
        ("ISO-IR 192", True),
        ("ISO 2022-IR 149", True),
        ("utf8", True),
        (MultiValue(str, ["", "ISO 2022 IR 149"]), True),
        (["ISO 2022 IR 6", "ISO 2022 IR 999"], False),
        ("ISO_IR 999", False),
        ("ISO-IR 999", False),
        ("no such", False),
        ("punycode", False),
        ("zip", False),
        ("a\0b", False),
        (7, False),
    ],
)
def test_only_encodings_of_dicom_are_known(value, known):
    before = pydicom.config.settings.reading_validation_mode
    assert knows_charset(value) is known
    assert pydicom.config.settings.reading_validation_mode == before
