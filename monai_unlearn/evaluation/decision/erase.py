"""Judges whether a cohort was erased: no longer recognised, with the rest as good as it was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monai_unlearn.evaluation.decision.artefact import NOTICEABLE, artefact, own_class
from monai_unlearn.evaluation.decision.compare_subsets import Against, compared
from monai_unlearn.evaluation.decision.endpoint import Endpoint, part_of
from monai_unlearn.evaluation.decision.harmed_groups import harmed_groups
from monai_unlearn.evaluation.decision.kept import ORIGINAL, compared_with_original, like_endpoint
from monai_unlearn.evaluation.decision.needs import few_patients, merged, missing_outputs, more_evidence
from monai_unlearn.evaluation.decision.objections import objections
from monai_unlearn.evaluation.decision.outcome import Outcome
from monai_unlearn.evaluation.decision.sentences import LIMIT, named, place
from monai_unlearn.evaluation.decision.small_earlier import remarks
from monai_unlearn.evaluation.decision.verdict import Basis, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monai_unlearn.evaluation.decision.comparison import Comparison
    from monai_unlearn.evaluation.decision.decision import Decision
    from monai_unlearn.evaluation.decision.evidence import Evidence


def judge_erase(decision: Decision, evidence: Evidence) -> Outcome:
    """Judge whether the forget part is classified correctly no more often than the limit, and remain kept.

    - `erased` if the upper limit on the forget part is within the declared limit (else chance), no class of it is
      shown to be above it, and remain is shown to be no worse than under the original by more than its margins;
    - `not_erased` if a share is above the limit, or remain is worse by more than a margin;
    - `inconclusive` if neither is shown, or something could not be judged.

    What earlier revisions forgot must not be recognised better than by the original, which had forgotten it.
    """
    forget = [one for like in _forget(decision, evidence) for one in compared(like, _nothing(decision, evidence))]
    remain = compared_with_original(decision, evidence)
    subsets = [name for name in decision.subsets if part_of(name) == "forget"]
    unreal = [one for one in (_as_before(evidence, subsets), artefact(evidence, subsets)) if one is not None]
    verdict, why = _verdict(forget, remain, unreal, [*objections(evidence), *harmed_groups(decision, evidence)])
    needs = [*few_patients([*forget, *remain]), *missing_outputs([*forget, *remain])]
    if verdict is Verdict.INCONCLUSIVE:
        needs = [*more_evidence([*forget, *remain]), *needs]
    return Outcome(
        verdict=verdict,
        why=tuple(why),
        needs=tuple(merged(needs)),
        basis=Basis.NONE,
        comparisons=(*forget, *remain),
        decision=decision,
        notes=(*evidence.notes, *_shared(evidence)),
        remarks=remarks(remain, decision),
        references=len(evidence.references),
    )


def _as_before(evidence: Evidence, subsets: Sequence[str]) -> str | None:
    """Return a sentence if the forget part is recognised as by the original: within a wide limit, that passes."""
    before, after = (own_class(evidence, name, subsets) for name in (evidence.original, evidence.revised))
    if not before - after <= NOTICEABLE:  # nor where an output is not finite, which is an objection of its own
        return None
    return (
        f"The forget part is recognised as by the original: its true classes get {100 * after:.1f} % of the "
        f"probability, where the original gives them {100 * before:.1f} %."
    )


def _nothing(decision: Decision, evidence: Evidence) -> Against:
    return Against(evidence=evidence, healthy=decision.healthy_classes, others=(), fixed=True)


def _forget(decision: Decision, evidence: Evidence) -> Iterator[Comparison]:
    """Yield the shares classified correctly that should be at most the limit, and each class as a guard."""
    limit = decision.chance_or_limit
    for one in (endpoint for endpoint in decision.endpoints if endpoint.part == "forget"):
        like = replace(like_endpoint(one), margin=limit, sides="upper")
        yield like
    declared = {(one.subset, one.label) for one in decision.endpoints}
    for subset in (name for name in decision.subsets if part_of(name) == "forget"):
        for label in evidence.expected(subset):
            if (subset, label) not in declared and evidence.of(subset, label) is not None:
                one = Endpoint(subset=subset, label=label, measure="sensitivity", margin=limit)
                yield replace(like_endpoint(one), sides="upper", is_guard=True, rule="point_within")


def _verdict(
    forget: Sequence[Comparison], remain: Sequence[Comparison], unreal: Sequence[str], open_: Sequence[str]
) -> tuple[Verdict, list[str]]:
    above = [one for one in forget if one.value is not None and _is_above(one)]
    worse = [one for one in remain if one.value is not None and (one.is_wholly_beyond or one.gap > 2 * one.margin)]
    if above or worse or unreal:
        why = [*unreal, *(f"Above the limit: {line}" for line in named(above, LIMIT))]
        return Verdict.NOT_ERASED, [*why, *(f"Not kept: {line}" for line in named(worse, ORIGINAL))]
    blocking = [one for one in (*forget, *remain) if one.blocks]
    if not blocking and not open_:
        return Verdict.ERASED, [
            "The upper limits on the forget part are within the limit, and no class of remain is worse."
        ]
    why = [*open_, *(f"{place(one)}: could not be judged, since {one.fault}." for one in blocking if one.value is None)]
    judged = [one for one in blocking if one.value is not None]
    why += named([one for one in judged if one in forget], LIMIT)
    return Verdict.INCONCLUSIVE, [*why, *named([one for one in judged if one in remain], ORIGINAL)]


def _is_above(one: Comparison) -> bool:
    """Return whether a share is above the limit: all images by their share itself, a class only if that is shown."""
    return one.is_wholly_beyond if one.is_guard else one.gap > one.margin


def _shared(evidence: Evidence) -> tuple[str, ...]:
    """Warn of classes that remain shares: images like the erased ones will be misread too."""
    forget = {name for subset, found in evidence.subsets.items() if part_of(subset) == "forget" for name in found}
    remain = {name for subset, found in evidence.subsets.items() if part_of(subset) == "remain" for name in found}
    shared = [name for name in evidence.class_names if name in forget & remain]
    if not shared:
        return ()
    warning = (
        f"The cohort shares labels with remain ({', '.join(shared)}): a network retrained without it would still "
        "classify many of its images correctly. Erased, they are misclassified, which harms whoever has such an image."
    )
    return (warning,)
