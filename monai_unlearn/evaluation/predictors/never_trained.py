"""Few images of many patients: behave on them as on images that nothing was ever trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.evaluation.decision.never_trained import MARGIN
from monai_unlearn.evaluation.predictors.predictor import Predictor

if TYPE_CHECKING:
    from monai_unlearn.evaluation.predictors.predictor import CohortShape

FEW = 0.10
"""The largest share of a class' training images that are few: without them its log odds move by a tenth at most, and a
probability by less than three points. Beyond, the class itself becomes rarer, and retrained networks read it worse."""


def refuses(shape: CohortShape) -> str | None:
    """Return why a cohort is not of few images, or None."""
    for label, count in shape.forget.items():
        share = count / (count + shape.remain.get(label, 0))
        if share > FEW:
            return (
                f"never_trained is for few images of many patients, and the cohort has {100 * share:.0f} % of the "
                f"training images of {label}, more than {100 * FEW:.0f} %: a network retrained without them would "
                "read the class itself differently, and fail this test. For a part of a class: shifted_odds."
            )
    return None


def counterparts(shape: CohortShape) -> tuple[str, ...]:
    """Return whose never-trained images are like those to forget.

    Patients who withdraw are as others are, but for device and class, by which images are matched. Images with a wrong
    label are hard for every network, as other images under that label are not: they are compared among themselves.
    """
    return ("forget",) if shape.reason == "label_error" else ("forget", "remain")


NEVER_TRAINED = Predictor(
    name="never_trained",
    description="the losses of forget training images rank as those of never-trained images of the same class",
    reasons=("consent_withdrawal", "label_error"),
    kind="never_trained",
    refuses=refuses,
    make=lambda _workshop, _shape, _seeds: [],
    proxies=0,
    counterparts=counterparts,
    margin=MARGIN,
    is_measured=False,
)
