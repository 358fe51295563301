"""Which images are fetched, as the index identifies them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.store.schema import CONFLICT
from monai_unlearn.index.store.store import read_document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monai_unlearn.index.store.store import Index


@dataclass(frozen=True)
class Wanted:
    """An image to fetch, as the index identifies it.

    Attributes:
        image_id: Its identifier in the index.
        study: Its StudyInstanceUID.
        series: Its SeriesInstanceUID.
        people: The identifiers of its patient, as `patient_ids` spells them; empty where the index does not have them
            from its tags.
    """

    image_id: str
    study: str
    series: str
    people: frozenset[str] = frozenset()

    @property
    def uid(self) -> str:
        """Its SOPInstanceUID: `image_id` has a suffix where copies contradict each other."""
        return self.image_id.partition(CONFLICT)[0]

    @property
    def uids(self) -> tuple[str, str, str]:
        """Its StudyInstanceUID, SeriesInstanceUID and SOPInstanceUID, with which an archive is asked for it."""
        return self.study, self.series, self.uid

    @property
    def name(self) -> str:
        """Its path within the folder of images."""
        return f"{self.study}/{self.series}/{self.image_id.replace(CONFLICT, '_')}.dcm"


def people_of(index: Index) -> dict[str, str]:
    """Return the identifiers of the patient of each image, where they are those of its tags and not of a table."""
    origin = read_document(index.directory).get("patient_from")
    if not str(origin or "").startswith("PatientID"):
        return {}
    frame = index.frame(["image_id", "patient_ids"]).dropna()
    return dict(zip(frame["image_id"], frame["patient_ids"], strict=True))


def wanted_of(rows: Iterable[tuple[str, str | None, str | None, str | None]]) -> list[Wanted]:
    """Return the images to fetch, in the order of their studies.

    Args:
        rows: The `image_id`, `study`, `series` and `patient_ids` of each; the last is null where the patients of the
            index are not those of its tags.

    Raises:
        IndexReadError: One of them has no study or series, or they are no UIDs.
    """
    found = []
    for image_id, study, series, people in rows:
        uids = (image_id.partition(CONFLICT)[0], study or "", series or "")
        if not all(uid.replace(".", "").isdecimal() for uid in uids):
            raise IndexReadError(
                "An image of the cohort has no valid study, series or instance UID, so an archive cannot be asked for "
                "it. Exclude such images in the spec: exists(study) and exists(series)."
            )
        found.append(Wanted(image_id, str(study), str(series), frozenset((people or "").split("\\")) - {""}))
    return sorted(found, key=lambda one: one.name)
