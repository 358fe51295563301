"""Which fields identify people. Messages and tables count their values and never show them."""

from __future__ import annotations

import re

# Words in the names of fields that identify a person, or images of a person.
_PEOPLE = re.compile(
    r"(?i)(?<![A-Za-z0-9])"
    r"(?:patients?(?:_?ids?)?|stud(?:y|ies)(?:_?ids?)?|series|image_?ids?|path|mrn|accession\w*|\w*uids?|id)"
    r"(?![A-Za-z0-9_])"
)


def names_people(text: str) -> bool:
    """Return whether a text contains the name of a field that identifies patients, studies or images.

    >>> names_people("patient_id == P17"), names_people("PatientAge > 60")
    (True, False)
    """
    return _PEOPLE.search(text) is not None
