"""Whether what earlier revisions forgot is still forgotten: an endpoint for each of their cohorts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monai_unlearn.evaluation.decision.endpoint import ALL, Endpoint, is_about_earlier, part_of, split_of

if TYPE_CHECKING:
    from monai_unlearn.evaluation.decision.decision import Decision
    from monai_unlearn.evaluation.prediction_table import PredictionTable


def with_earlier(decision: Decision, table: PredictionTable) -> Decision:
    """Return a decision that also judges what earlier revisions forgot, by the margin of the forget part.

    The retrained references never saw these images either: on them, the revised network must behave as they do. Of
    validation images no cohort has many: an interval over them shows nothing, and would block every later revision.
    They are judged only where those of the forget part are, too, or where a cohort has no others.

    Args:
        decision: What was declared. With `objective: erase`, the original is what they must not be recognised beyond.
        table: The predictions; images that an earlier revision forgot are in parts such as `earlier:0.2.0`.
    """
    measure = "mean_probability" if decision.objective == "match_reference" else "sensitivity"
    found = sorted(set(table.frame["part"] + "_" + table.frame["split"]))
    declared = {one.subset for one in decision.endpoints if (one.measure, one.label) == (measure, ALL)}
    judged = _on_judged_splits([name for name in found if is_about_earlier(name)], decision)
    added = [Endpoint(subset=name, measure=measure) for name in judged if name not in declared]
    return replace(decision, endpoints=(*decision.endpoints, *added))


def _on_judged_splits(subsets: list[str], decision: Decision) -> list[str]:
    """Return the subsets of training and test images, and those of validation images that are judged."""
    splits = {"train", "test", *(split_of(one.subset) for one in decision.endpoints if one.part == "forget")}
    known = {part_of(name) for name in subsets if split_of(name) in splits}
    return [name for name in subsets if split_of(name) in splits or part_of(name) not in known]
