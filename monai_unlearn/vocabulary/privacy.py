"""Which fields identify people: their values are counted in messages and tables, and never shown."""

from __future__ import annotations

import re

# Fields whose values name a person or their images: messages and tables show how many, never which.
_PEOPLE = re.compile(
    r"(?i)(?<![A-Za-z0-9])"
    r"(?:patients?(?:_?ids?)?|stud(?:y|ies)(?:_?ids?)?|series|image_?ids?|path|mrn|accession\w*|\w*uids?|id)"
    r"(?![A-Za-z0-9_])"
)


def names_people(text: str) -> bool:
    """Tell whether a text has the name of a field that identifies patients, studies or images."""
    return _PEOPLE.search(text) is not None
