"""A part of a class: the original on never-trained images of the class, its odds moved to the new class frequencies."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from monai_unlearn.evaluation.predictors.predictor import Predictor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.evaluation.predictors.predictor import CohortShape, Proxy, Workshop


def shift(shape: CohortShape) -> dict[str, float]:
    """Return what is added to the logit of each class: log(new / old class frequency).

    A network's posterior is proportional to the class frequencies that it was trained under, so that under others its
    odds move by their ratio (Saerens et al. 2002, Neural Computation 14:21, equation 2.4). Where the loss weights n
    images of a class by n^−a, they count as n^(1−a).

    >>> from monai_unlearn.evaluation.predictors.predictor import CohortShape
    >>> shape = CohortShape(reason="other", forget={"glaucoma": 50}, remain={"normal": 100, "glaucoma": 50})
    >>> {name: round(by, 3) for name, by in shift(shape).items()}
    {'normal': 0.288, 'glaucoma': -0.405}
    """
    power = 1 - shape.class_balance
    old = {name: count + shape.forget.get(name, 0) for name, count in shape.remain.items()}
    before, after = ({name: count**power for name, count in counts.items()} for counts in (old, shape.remain))
    totals = sum(before.values()), sum(after.values())
    return {name: math.log(after[name] / totals[1]) - math.log(before[name] / totals[0]) for name in shape.remain}


def refuses(shape: CohortShape) -> str | None:
    """Return why a cohort is no part of a class, or None."""
    whole = [name for name in shape.forget if not shape.remain.get(name)]
    if whole:
        return f"shifted_odds is for a part of a class, and of {whole[0]} nothing remains: there are no new odds."
    if not shape.forget or set(shape.forget) >= set(shape.remain):
        return (
            "shifted_odds is for a part of a class, and the cohort has images of every class: what sets them apart is "
            "not their class, and odds do not say what a network forgets of it."
        )
    return None


def counterparts(shape: CohortShape) -> tuple[str, ...]:
    """Return whose never-trained images are like those to forget: also those that remain, if chance chose between."""
    return ("forget", "remain") if shape.is_sample else ("forget",)


def _make(workshop: Workshop, shape: CohortShape, _seeds: int) -> list[Proxy]:
    by: Mapping[str, float] = shift(shape)
    return [workshop.shifted("shifted_odds", by)]


SHIFTED_ODDS = Predictor(
    name="shifted_odds",
    description="the original on never-trained images of the class, its odds moved to the new class frequencies",
    reasons=("label_error", "policy_change", "other"),
    kind="rows",
    refuses=refuses,
    make=_make,
    proxies=1,
    counterparts=counterparts,
)
