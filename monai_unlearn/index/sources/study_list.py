"""The studies of a pull: what identifies each in the index, and a fingerprint that changes when the study does."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.pacs.items import OF_STUDY, PATIENT_ID, STUDY, count, tag_of, text, values
from monai_unlearn.vocabulary.handle_key import handle_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monai_unlearn.index.pseudonyms import Pseudonyms
    from monai_unlearn.index.sources.archive import Item

# Servers have UIDs that are longer than 64 characters or begin with a dot; they still can be asked for.
_UID = re.compile(r"[0-9.]*[0-9][0-9.]*")
# What stands for a text in the place of a UID begins with this: such texts may hold anything.
_NO_UID = "no-uid-"
# What belongs to a fingerprint. Names are not in it: even a keyed hash of them need not be stored.
_COMPARED = tuple(
    tag_of(keyword)
    for keyword in (
        *("StudyInstanceUID", "PatientID", "IssuerOfPatientID", "PatientSex", "StudyDate", "StudyTime"),
        *("AccessionNumber", "ModalitiesInStudy", "StudyDescription"),
        *("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
    )
)


@dataclass(frozen=True)
class Study:
    """A study of the archive.

    Attributes:
        key: What stands for it in the index and its paths: its StudyInstanceUID, or that one's pseudonym.
        uid: Its StudyInstanceUID; null where it is known from an earlier pull alone, and has not changed.
        fingerprint: Changes when the study does, as far as a search shows that.
        instances: How many instances it has; null if the server does not say so.
        is_valid: Whether that is a UID; otherwise the archive cannot be asked for its images.
        change: The last change that the archive tells of it beside the fingerprint; empty if there is none.
    """

    key: str
    uid: str | None
    fingerprint: str
    instances: int | None = None
    is_valid: bool = True
    change: str = ""

    @property
    def state(self) -> str:
        """What rows that were read of it must state, so that they are those of now."""
        return self.fingerprint + self.change


def studies_of(found: Iterable[Item], pseudonyms: Pseudonyms | None) -> dict[str, Study]:
    """Return studies by their key, from what a search found.

    Args:
        found: The studies; a server has several items for a study that several patients share. Those without a valid
            identifier are among them: one for each text that they have in its place.
        pseudonyms: What replaces identifiers.
    """
    items: dict[str, list[Item]] = {}
    for item in found:
        items.setdefault(text(item, STUDY) or "", []).append(item)
    studies = (_study(uid, parts, pseudonyms) for uid, parts in items.items())
    return {study.key: study for study in studies}


def _study(uid: str, items: list[Item], pseudonyms: Pseudonyms | None) -> Study:
    items.sort(key=lambda item: text(item, PATIENT_ID) or "")
    counts = [count(item, OF_STUDY) for item in items]
    known = [number for number in counts if number is not None]
    secret, is_valid = handle_key() if pseudonyms is None else pseudonyms.key, _UID.fullmatch(uid) is not None
    key = uid if pseudonyms is None else pseudonyms.of("study", uid)
    return Study(
        key=key if is_valid else f"{_NO_UID}{hmac.digest(secret, uid.encode(), hashlib.sha256).hex()[:24]}",
        uid=uid,
        fingerprint=_fingerprint(items, secret),
        is_valid=is_valid,
        instances=sum(known) if len(known) == len(counts) else None,
    )


def _fingerprint(items: list[Item], key: bytes) -> str:
    compared = [[values(item, tag) for tag in _COMPARED] for item in items]
    content = json.dumps(compared, sort_keys=True, default=str).encode()
    return hmac.digest(key, content, hashlib.sha256).hex()[:32]
