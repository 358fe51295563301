"""Whether what earlier revisions forgot is recognised no better than by the original, which had forgotten it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monai_unlearn.evaluation.decision.compare_subsets import TWO
from monai_unlearn.evaluation.decision.comparison import Comparison
from monai_unlearn.evaluation.decision.endpoint import ALL, is_about_earlier
from monai_unlearn.evaluation.decision.small_earlier import as_points, pool, small_classes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monai_unlearn.evaluation.decision.decision import Decision
    from monai_unlearn.evaluation.decision.endpoint import Endpoint
    from monai_unlearn.evaluation.decision.evidence import Evidence


def earlier_kept(decision: Decision, evidence: Evidence) -> Iterator[Comparison]:
    """Yield comparisons with the original, without figures, of each earlier cohort that an endpoint is about.

    Whatever was declared, two things must not be higher than under the original by the smallest margin declared: the
    share classified correctly, over all images; and the mean probability of the true class, which rises first where
    images are learned again, of each class with enough patients and of the others together. Shares of healthy calls and
    means over classes are judged where they were declared, and classes by themselves, too.
    """
    for subset in (name for name in decision.subsets if is_about_earlier(name)):
        declared = [one for one in decision.endpoints if one.subset == subset]
        like = Comparison(
            subset=subset,
            label=ALL,
            predicted=None,
            measure="sensitivity",
            margin=min(one.margin for one in declared),
            sides="upper",
            min_patients=decision.min_patients(subset),
        )
        yield as_points(like, evidence)
        yield from _probabilities(like, decision, evidence)
        yield from _declared(like, declared, decision, evidence)


def _probabilities(like: Comparison, decision: Decision, evidence: Evidence) -> Iterator[Comparison]:
    small = small_classes(like.subset, decision, evidence)
    for label in evidence.class_names:
        means = evidence.of(like.subset, label)
        own = replace(like, label=label, measure="mean_probability", pooled=(label,))
        if means is not None and label not in small:
            yield own
        elif means is not None and len(means) >= TWO:
            yield replace(own, rule="not_beyond", is_guard=True, min_patients=0)
    for one in pool(like.subset, "mean_probability", decision, evidence):
        yield replace(one, margin=like.margin, sides="upper")


def _declared(
    like: Comparison, declared: list[Endpoint], decision: Decision, evidence: Evidence
) -> Iterator[Comparison]:
    """Yield what was declared of single classes, and other measures than those that are always judged."""
    for label in dict.fromkeys(one.label for one in declared if one.label != ALL):
        yield replace(like, label=label)
        yield replace(like, label=label, measure="mean_probability", pooled=(label,))
    measures = {one.measure for one in declared}
    if "macro_sensitivity" in measures:
        yield replace(like, measure="macro_sensitivity")
    present = [name for name in decision.diseases if evidence.of(like.subset, name) is not None]
    if "false_negatives" in measures and present:
        yield as_points(replace(like, measure="false_negatives", pooled=tuple(present)), evidence)
