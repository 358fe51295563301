"""Whether what is to be kept is no worse than under the original."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monai_unlearn.evaluation.decision.compare_subsets import Against, compared
from monai_unlearn.evaluation.decision.comparison import Comparison
from monai_unlearn.evaluation.decision.earlier_kept import earlier_kept
from monai_unlearn.evaluation.decision.endpoint import ALL, Endpoint, part_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monai_unlearn.evaluation.decision.decision import Decision
    from monai_unlearn.evaluation.decision.evidence import Evidence

ORIGINAL = "the original"


def compared_with_original(decision: Decision, evidence: Evidence) -> list[Comparison]:
    """Return how remain, and what earlier revisions forgot, compare with the original.

    Of remain: each endpoint, and as guards the sensitivity and the false negatives of each class. The probability of
    the true class must not be lower: a network whose probabilities flatten is sure of nothing any more, long before it
    classifies worse. To erase a cohort nothing is said of probabilities. What earlier revisions forgot must not be
    recognised better than by the original, which had forgotten it.

    Args:
        decision: What was declared.
        evidence: The means of all networks.
    """
    against = Against(evidence=evidence, healthy=decision.healthy_classes, others=(evidence.original,), fixed=True)
    return [
        one
        for like in (*_remain(decision, evidence), *earlier_kept(decision, evidence))
        for one in compared(like, against)
    ]


def _remain(decision: Decision, evidence: Evidence) -> Iterator[Comparison]:
    for one in (endpoint for endpoint in decision.endpoints if endpoint.part == "remain"):
        labels = evidence.expected(one.subset) or evidence.class_names
        if one.measure == "false_negatives":
            labels = tuple(name for name in labels if name in decision.diseases)
        for label in (ALL,) if one.measure == "macro_sensitivity" else one.classes(labels):
            yield _no_worse(replace(like_endpoint(one), label=label))
    for subset in (name for name in decision.subsets if part_of(name) == "remain"):
        for label in evidence.expected(subset):
            yield from _remain_guards(decision, subset, label)


def _remain_guards(decision: Decision, subset: str, label: str) -> Iterator[Comparison]:
    """Yield what guards a class of remain, where no endpoint is about the same: its sensitivity and false negatives."""
    declared = {(one.measure, one.label) for one in decision.endpoints if one.subset == subset}
    measures = ["sensitivity"]
    if decision.objective == "match_reference":
        measures.append("mean_probability")
    if label in decision.diseases:
        measures.append("false_negatives")
    for measure in measures:
        if {(measure, label), (measure, ALL)} & declared:
            continue
        few, margin = decision.min_patients(subset), decision.margin(subset, measure)
        one = Endpoint(subset=subset, label=label, measure=measure, margin=margin, min_patients=few)
        like = replace(
            like_endpoint(one), is_guard=True, rule="inside" if measure == "false_negatives" else "not_beyond"
        )
        yield _no_worse(like)


def _no_worse(like: Comparison) -> Comparison:
    """Return a comparison of one class that asks for its own probability alone, and only that it is not lower."""
    return replace(like, sides="lower", pooled=(like.label,)) if like.measure == "mean_probability" else like


def like_endpoint(one: Endpoint) -> Comparison:
    """Return an endpoint as a comparison without figures."""
    return Comparison(
        subset=one.subset,
        label=one.label,
        predicted=None,
        measure=one.measure,
        margin=one.margin,
        sides=one.sides,
        min_patients=one.min_patients,
    )


def with_sensitivities(decision: Decision) -> Decision:
    """Return a decision that judges the mean sensitivity of each subset of remain that it is about, declared or not."""
    has_mean = {one.subset for one in decision.endpoints if one.measure == "macro_sensitivity"}
    means = [
        Endpoint(
            subset=name,
            measure="macro_sensitivity",
            margin=decision.margin(name, "macro_sensitivity"),
            min_patients=decision.min_patients(name),
        )
        for name in decision.subsets
        if part_of(name) == "remain" and name not in has_mean
    ]
    return replace(decision, endpoints=(*decision.endpoints, *means))
