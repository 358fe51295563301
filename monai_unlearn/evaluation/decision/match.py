"""Judges a revised network against networks retrained without the cohort."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.evaluation.decision.artefact import artefact
from monai_unlearn.evaluation.decision.compare_subsets import Against, compared
from monai_unlearn.evaluation.decision.comparison import Comparison
from monai_unlearn.evaluation.decision.endpoint import part_of
from monai_unlearn.evaluation.decision.harmed_groups import harmed_groups
from monai_unlearn.evaluation.decision.holm import holm
from monai_unlearn.evaluation.decision.needs import (
    MIN_SEEDS,
    Need,
    few_patients,
    merged,
    missing_outputs,
    missing_reference,
    more_evidence,
    more_seeds,
)
from monai_unlearn.evaluation.decision.objections import objections
from monai_unlearn.evaluation.decision.outcome import Outcome
from monai_unlearn.evaluation.decision.sentences import difference, named, place
from monai_unlearn.evaluation.decision.small_earlier import remarks, with_pools
from monai_unlearn.evaluation.decision.unchanged import unchanged
from monai_unlearn.evaluation.decision.verdict import Basis, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monai_unlearn.evaluation.decision.comparison import Rule
    from monai_unlearn.evaluation.decision.decision import Decision
    from monai_unlearn.evaluation.decision.evidence import Evidence

TARGET = "retrained networks"


def judge_match(decision: Decision, evidence: Evidence) -> Outcome:
    """Judge whether the revised network is equivalent to the mean of what retraining gives.

    - `not_known` without retrained networks, `target_undetermined` with fewer than three: nothing else can be said;
    - `different` if a Holm-adjusted interval is wholly beyond its margin, and no retrained network strays so far;
    - `target_undetermined` if the retrained networks leave the target open by more than a margin;
    - `equivalent` if every interval is inside its margin and nothing blocks;
    - `inconclusive` otherwise.
    """
    against = Against(evidence=evidence, healthy=decision.healthy_classes, others=evidence.references)
    likes = with_pools(asked(decision, evidence), decision, evidence)
    comparisons = holm([one for like in likes for one in compared(like, against)])
    forget = [name for name in decision.subsets if part_of(name) == "forget"]
    found = (
        *objections(evidence),
        *harmed_groups(decision, evidence),
        unchanged(evidence, forget),
        artefact(evidence, forget),
    )
    unreal = [one for one in found if one is not None]
    verdict, why, needs = _verdict(comparisons, len(evidence.references), unreal)
    return Outcome(
        verdict=verdict,
        why=tuple(why),
        needs=tuple(merged(needs)),
        basis=Basis.REFERENCE if evidence.references else Basis.NONE,
        comparisons=tuple(comparisons),
        decision=decision,
        notes=evidence.notes,
        remarks=remarks(comparisons, decision),
        references=len(evidence.references),
    )


def _verdict(
    comparisons: Sequence[Comparison], seeds: int, unreal: Sequence[str]
) -> tuple[Verdict, list[str], list[Need]]:
    few = [*few_patients(comparisons), *missing_outputs(comparisons)]
    if not seeds:
        why = "There is no network retrained without the cohort: it is unknown whether the revised one behaves as such."
        return Verdict.NOT_KNOWN, [why], [missing_reference(), *few]
    if seeds < MIN_SEEDS:
        why = (
            f"Too few retrained networks ({seeds}): they do not show how far retraining itself varies from seed to "
            f"seed, so the target is open. At least {MIN_SEEDS} are needed."
        )
        return Verdict.TARGET_UNDETERMINED, [why], [more_seeds(seeds), *few]
    if beyond := [one for one in comparisons if one.is_beyond]:
        return Verdict.DIFFERENT, named(beyond, TARGET), few
    if undetermined := [one for one in comparisons if one.is_target_undetermined]:
        return Verdict.TARGET_UNDETERMINED, _undetermined(undetermined), [*more_evidence(comparisons), *few]
    blocking = [one for one in comparisons if one.blocks]
    if not blocking and not unreal:
        return Verdict.EQUIVALENT, [_all_inside(comparisons)], few
    return Verdict.INCONCLUSIVE, _open(blocking, unreal), [*more_evidence(comparisons), *few]


def asked(decision: Decision, evidence: Evidence) -> Iterator[Comparison]:
    """Yield each endpoint and guard, class by class, as comparisons without figures."""
    declared = set()
    for one in decision.endpoints:
        mean = one.measure == "macro_sensitivity"
        expected = _labels(decision, evidence, one.subset, one.measure)
        for label in (one.label,) if mean else one.classes(expected):
            declared.add((one.subset, one.measure, label))
            yield Comparison(
                subset=one.subset,
                label=label,
                predicted=None,
                measure=one.measure,
                margin=one.margin,
                sides=one.sides,
                min_patients=one.min_patients,
            )
    for guard in _guards(decision, evidence):
        if (guard.subset, guard.measure, guard.label) not in declared:
            yield guard


def _labels(decision: Decision, evidence: Evidence, subset: str, measure: str) -> tuple[str, ...]:
    """Return the classes that a measure is about in a subset; every class if the part has no image at all.

    Whatever was declared must appear among the comparisons, if only as not judged.
    """
    expected = evidence.expected(subset) or evidence.class_names
    return tuple(name for name in expected if measure != "false_negatives" or name in decision.diseases)


def _guards(decision: Decision, evidence: Evidence) -> Iterator[Comparison]:
    """Yield the guards of every subset that an endpoint is about, for each class that it should have.

    Probabilities can agree where classifications do not, if they lie near the boundary: so the sensitivity of each
    class is guarded on both sides. False negatives must be shown not to rise on remain images, which stand for the
    patients to come; on forget images, their difference itself must be within the margin.
    """
    for subset in decision.subsets:
        for measure in ("mean_probability", "sensitivity", "false_negatives"):
            rule = _rule(subset, measure)
            for label in _labels(decision, evidence, subset, measure):
                yield Comparison(
                    subset=subset,
                    label=label,
                    predicted=None,
                    measure=measure,
                    margin=decision.margin(subset, measure),
                    sides="upper" if measure == "false_negatives" else "both",
                    rule=rule,
                    is_guard=True,
                    min_patients=decision.min_patients(subset) if rule == "inside" else 0,
                )


def _rule(subset: str, measure: str) -> Rule:
    if measure != "false_negatives":
        return "not_beyond"
    return "inside" if part_of(subset) == "remain" else "point_within"


def _all_inside(comparisons: Sequence[Comparison]) -> str:
    judged = [one for one in comparisons if one.rule == "inside"]
    closest = max(judged, key=lambda one: one.reach)
    return (
        f"All {len(judged)} intervals (90 %) lie inside their margins, and no guard objects. Nearest to its margin: "
        f"{difference(closest, TARGET)}"
    )


def _undetermined(comparisons: Sequence[Comparison]) -> list[str]:
    worst = max(comparisons, key=lambda one: one.target_distance / one.margin)
    why = (
        f"{place(worst)}: the retrained networks differ among themselves by a standard deviation of "
        f"{100 * (worst.seed_sd or 0):.1f} points, so their mean is known to ±{100 * worst.target_distance:.1f} points "
        f"only; the margin is {100 * worst.margin:g}. ({len(comparisons)} endpoints and guards are like this.)"
    )
    return [why]


def _open(blocking: Sequence[Comparison], unreal: Sequence[str]) -> list[str]:
    """Say what stands in the way, first what no further evidence would remove."""
    why = list(unreal)
    why += [f"{place(one)}: could not be judged, since {one.fault}." for one in blocking if one.value is None]
    judged = [one for one in blocking if one.value is not None]
    gaps = [one for one in judged if one.gap > 2 * one.margin or one.rule != "inside"]
    if gaps:
        why += [
            "A guard objects: a class lies beyond its margin.",
            *named(gaps, TARGET),
        ]
    few = {(one.subset, one.label): one for one in judged if one.has_few_patients}
    why += [
        f"{place(one)}: {one.patients} patients are too few to support equivalence ({one.min_patients} are needed)."
        for one in few.values()
    ]
    wide = [one for one in judged if one not in gaps and not one.has_few_patients]
    if wide:
        why += ["An interval reaches beyond its margin: equivalence is not shown.", *named(wide, TARGET)]
    return why
