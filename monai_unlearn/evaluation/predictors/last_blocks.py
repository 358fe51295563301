"""A retired device: the last two blocks and the head, retrained without the cohort on features of the original."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.evaluation.predictors.predictor import Predictor

if TYPE_CHECKING:
    from monai_unlearn.evaluation.predictors.predictor import CohortShape, Proxy, Workshop

BLOCKS = 2


def _make(workshop: Workshop, _shape: CohortShape, seeds: int) -> list[Proxy]:
    return workshop.tuned("last_blocks", blocks=BLOCKS, seeds=seeds)


def refuses(_shape: CohortShape) -> None:
    """A device may be of any size and class."""


LAST_BLOCKS = Predictor(
    name="last_blocks",
    description="the original with its last two blocks and head retrained without the cohort, on cached features",
    reasons=("device_deprecation",),
    kind="rows",
    refuses=refuses,
    make=_make,
)
