"""Which fields identify people. Messages and tables count their values and never show them."""

from __future__ import annotations

import hmac
import re

from monai_unlearn.vocabulary.fields import vocabulary
from monai_unlearn.vocabulary.handle_key import handle_key

# Words in the names of fields that identify a person, or images of a person.
_PEOPLE = re.compile(
    r"(?i)(?<![A-Za-z0-9])"
    r"(?:patients?(?:_?ids?)?|stud(?:y|ies)(?:_?ids?)?|series|image_?ids?|path|mrn|accession\w*|\w*uids?|id)"
    r"(?![A-Za-z0-9_])"
)


# Words in the names of other fields that may hold a person's name, contact or history.
_PERSONAL = re.compile(
    r"(?i)name|patient|subject|participant|person|individual|pseudonym|physician|doctor|operator|reader|technician|"
    r"nurse|birth|address|phone|e_?mail|comment|history|occupation|ssn|insurance|order_?number|admission|note|report|"
    r"record|case|hash"
)
# Descriptions that operators type, which may name people: DICOM PS3.15, E.3.6, Clean Descriptors Option.
_DESCRIPTORS = frozenset(("StudyDescription", "SeriesDescription", "ProtocolName"))
# Names of things.
_OF_THINGS = re.compile(r"(?i)(?:model|station|protocol|institution|department|sequence|device|coil|filter)_?name")

_SUFFIX = re.compile(r"(?i)\.(?:dcm|ima|nii|nii\.gz|png|jpe?g|tiff?|bmp|json|csv)$")


def names_people(text: str) -> bool:
    """Return whether a text contains the name of a field that identifies patients, studies or images.

    >>> names_people("patient_id == P17"), names_people("PatientAge > 60")
    (True, False)
    """
    return _PEOPLE.search(text) is not None


def may_show_values(name: str) -> bool:
    """Return whether values that an index has of a field may be shown: the field identifies nobody.

    This is stricter than `names_people`, which decides about values that an author wrote: a field that is not in the
    vocabulary must not sound like one that holds a person's name, contact or history.

    >>> may_show_values("device"), may_show_values("OperatorsName"), may_show_values("StationName")
    (True, False, True)
    """
    if names_people(name):
        return False
    known = name in vocabulary().names
    return known or _OF_THINGS.search(name) is not None or _PERSONAL.search(name) is None


def may_pass_on(name: str) -> bool:
    """Return whether texts that a field is compared with may stand in what leaves the site, such as a model card.

    Only fields of the vocabulary may, and names of things: what the text columns of a table hold is not known.

    >>> may_pass_on("device"), may_pass_on("remark"), may_pass_on("StudyDescription")
    (True, False, False)
    """
    known = name in vocabulary().names and name not in _DESCRIPTORS
    return not names_people(name) and (known or _OF_THINGS.fullmatch(name) is not None)


def handle_of(path: str) -> str:
    """Return a name for a file that tells nothing of its path: folders and files are often called after patients.

    It is a keyed hash, HMAC-SHA-256, so that nobody finds a path by hashing names that it may be; see `handle_key`.

    >>> handle = handle_of("/archive/Doe^Jane/1.dcm")
    >>> handle[:5], len(handle), handle[-4:], handle == handle_of("/archive/Doe^Jane/1.dcm")
    ('file ', 21, '.dcm', True)
    """
    suffix = _SUFFIX.search(path)
    digest = hmac.digest(handle_key(), path.encode("utf-8", "surrogatepass"), "sha256").hex()[:12]
    return f"file {digest}{'' if suffix is None else suffix[0].lower()}"
