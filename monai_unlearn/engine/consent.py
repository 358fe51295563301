"""Withdrawn consent: images of doubtful identity that the model was trained on are not passed over in silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.resolve.doubtful import doubtful_images
from monai_unlearn.cohort.spec.document import Reason, Unknown
from monai_unlearn.engine.training_record import images_digest
from monai_unlearn.errors import CohortError
from monai_unlearn.vocabulary.parts import PARTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.cohort import Cohort
    from monai_unlearn.data import CohortData


@dataclass(frozen=True)
class DoubtfulTraining:
    """The doubtful images that a model was trained on, and that are not forgotten.

    Attributes:
        images: How many there are.
        assumed: Whether no training record says on which images the model was trained: then every training image of
            the index counts.
        why: Why they may be left out, in the words of the spec.
    """

    images: int
    assumed: bool
    why: str | None

    @classmethod
    def of(cls, cohort: Cohort, data: CohortData, record: Mapping[str, Any]) -> DoubtfulTraining:
        """Count them.

        Args:
            cohort: The cohort to forget.
            data: The images of the run, which the cohort sorts into parts.
            record: The training record of the original weights; empty where there is none.
        """
        parts = record.get("parts", ())
        fits = bool(record) and record.get("images_digest") == images_digest(data, parts)
        trained = {str(item["image_id"]) for item in data.items(parts if fits else PARTS, "train")}
        return cls(len(doubtful_images(cohort) & trained), assumed=not fits, why=cohort.spec.why)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for the model card."""
        return {"images": self.images, "assumed": self.assumed, "why": self.why}

    @property
    def trained_on(self) -> str:
        """What is known about the training, in words."""
        if not self.assumed:
            return "were trained on"
        return "may have been trained on (no training record names the training images of this index)"


def check_consent(cohort: Cohort, data: CohortData, record: Mapping[str, Any]) -> DoubtfulTraining | None:
    """Refuse to withdraw consent past doubtful images that were trained on, unless the spec says what becomes of them.

    `unknown: forget` does, and so does `unknown: exclude` with a reason under `why`.

    Args:
        cohort: The cohort to forget.
        data: The images of the run.
        record: The training record of the original weights; empty where there is none.

    Returns:
        The doubtful images that are not forgotten; None where the reason is not a withdrawn consent.

    Raises:
        CohortError: There are such images, and the spec does not say what becomes of them.
    """
    spec = cohort.spec
    if spec.reason is not Reason.CONSENT_WITHDRAWAL:
        return None
    found = DoubtfulTraining.of(cohort, data, record)
    decided = spec.unknown is Unknown.FORGET or (spec.unknown is Unknown.EXCLUDE and spec.why is not None)
    if found.images and not decided:
        raise CohortError(
            f"{spec.source}: {found.images} images that {found.trained_on} may belong to patients who withdrew their "
            f"consent, and would not be forgotten (unknown: {spec.unknown.value}): they are undetermined, name no "
            "patient or a placeholder, or copies of them contradict each other. Write unknown: forget to forget what "
            "is undetermined, or unknown: exclude with why: TEXT to say why they may be left out; the model card "
            "shows it. Or fill in what is missing, and build the index again."
        )
    return found


def consent_warnings(found: DoubtfulTraining | None) -> list[str]:
    """Return what the evidence says about doubtful images that are not forgotten."""
    if found is None or not found.images:
        return []
    text = (
        f"{found.images} images of undetermined or doubtful identity {found.trained_on} and are not forgotten, "
        "although their patients may have withdrawn their consent."
    )
    return [text]
