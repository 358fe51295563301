"""Whether what is to be kept is no worse than under the original."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monai_unlearn.evaluation.decision.compare_subsets import Against, compared
from monai_unlearn.evaluation.decision.comparison import Comparison
from monai_unlearn.evaluation.decision.endpoint import ALL, Endpoint, is_about_earlier, part_of
from monai_unlearn.evaluation.decision.small_earlier import as_points

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monai_unlearn.evaluation.decision.decision import Decision
    from monai_unlearn.evaluation.decision.evidence import Evidence

ORIGINAL = "the original"


def compared_with_original(decision: Decision, evidence: Evidence) -> list[Comparison]:
    """Return how remain, and what earlier revisions forgot, compare with the original.

    Of remain: each endpoint, and as guards the sensitivity and the false negatives of each class. What earlier
    revisions forgot must not be recognised better than by the original, which had forgotten it.

    Args:
        decision: Its endpoints on remain are about sensitivities and false negatives.
        evidence: The means of all networks.
    """
    against = Against(evidence=evidence, healthy=decision.healthy_classes, others=(evidence.original,), fixed=True)
    return [
        one for like in (*_remain(decision, evidence), *_earlier(decision, evidence)) for one in compared(like, against)
    ]


def _earlier(decision: Decision, evidence: Evidence) -> Iterator[Comparison]:
    for one in (endpoint for endpoint in decision.endpoints if is_about_earlier(endpoint.subset)):
        like = replace(like_endpoint(one), sides="upper")
        yield as_points(like, evidence) if one.label == ALL else like


def _remain(decision: Decision, evidence: Evidence) -> Iterator[Comparison]:
    for one in (endpoint for endpoint in decision.endpoints if endpoint.part == "remain"):
        labels = evidence.expected(one.subset) or evidence.class_names
        if one.measure == "false_negatives":
            labels = tuple(name for name in labels if name in decision.diseases)
        for label in (ALL,) if one.measure == "macro_sensitivity" else one.classes(labels):
            yield replace(like_endpoint(one), label=label)
    for subset in (name for name in decision.subsets if part_of(name) == "remain"):
        for label in evidence.expected(subset):
            yield from _remain_guards(decision, subset, label)


def _remain_guards(decision: Decision, subset: str, label: str) -> Iterator[Comparison]:
    """Yield what guards a class of remain, where no endpoint is about the same: its sensitivity and false negatives."""
    declared = {(one.measure, one.label) for one in decision.endpoints if one.subset == subset}
    measures = ("sensitivity", "false_negatives") if label in decision.diseases else ("sensitivity",)
    for measure in measures:
        if {(measure, label), (measure, ALL)} & declared:
            continue
        few, margin = decision.min_patients(subset), decision.margin(subset, measure)
        one = Endpoint(subset=subset, label=label, measure=measure, margin=margin, min_patients=few)
        yield replace(
            like_endpoint(one), is_guard=True, rule="inside" if measure == "false_negatives" else "not_beyond"
        )


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


def sensitivities_kept(decision: Decision) -> Decision:
    """Return a decision whose endpoints on remain can be held against the original.

    Probabilities may move, as those of retrained networks do; sensitivities and false negatives may not get worse.
    """
    earlier = [_recognised(one) for one in decision.endpoints if is_about_earlier(one.subset)]
    others = [one for one in decision.endpoints if not is_about_earlier(one.subset)]
    kept = [one for one in others if one.part == "forget" or one.measure != "mean_probability"]
    has_mean = {one.subset for one in kept if one.measure == "macro_sensitivity"}
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
    return replace(decision, endpoints=tuple(dict.fromkeys([*kept, *means, *earlier])))


def _recognised(one: Endpoint) -> Endpoint:
    return replace(one, measure="sensitivity")
