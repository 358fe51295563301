"""Judges whether forget training images are as images never trained on: for few images of many patients."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monai_unlearn.evaluation.decision.artefact import artefact
from monai_unlearn.evaluation.decision.compare_subsets import Against, compared
from monai_unlearn.evaluation.decision.comparison import MEMBERSHIP, Comparison
from monai_unlearn.evaluation.decision.endpoint import ALL, MIN_PATIENTS, part_of
from monai_unlearn.evaluation.decision.harmed_groups import harmed_groups
from monai_unlearn.evaluation.decision.kept import ORIGINAL, compared_with_original, with_sensitivities
from monai_unlearn.evaluation.decision.matched_auc import CHANCE
from monai_unlearn.evaluation.decision.needs import few_patients, merged, missing_outputs, more_evidence
from monai_unlearn.evaluation.decision.objections import objections
from monai_unlearn.evaluation.decision.outcome import Outcome
from monai_unlearn.evaluation.decision.sentences import named, place
from monai_unlearn.evaluation.decision.small_earlier import remarks
from monai_unlearn.evaluation.decision.still_memorised import shown, still_memorised
from monai_unlearn.evaluation.decision.target import AUC_MARGIN
from monai_unlearn.evaluation.decision.unchanged import unchanged
from monai_unlearn.evaluation.decision.verdict import Basis, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monai_unlearn.evaluation.decision.decision import Decision
    from monai_unlearn.evaluation.decision.evidence import Evidence
    from monai_unlearn.evaluation.decision.matched_losses import MatchedLosses
    from monai_unlearn.evaluation.decision.target import PredictedTarget

MARGIN = AUC_MARGIN
"""How far an AUC may lie from 0.5, where the predictor declares nothing else: `docs/predictors.md` says why."""
MEMBERS = "forget_train"
CHANCE_LEVEL = "chance"


def judge_never_trained(
    decision: Decision, evidence: Evidence, target: PredictedTarget, losses: MatchedLosses
) -> Outcome:
    """Judge whether losses tell forget training images from never-trained ones of the same class and cohort.

    - `inconclusive` where the same test does not detect the original network: memorisation is not measurable on these
      images, and to pass it says nothing;
    - `qualified` if the 90 % interval of the revised network's AUC lies inside 0.5 ± margin, remain is shown to be no
      worse than under the original, and nothing blocks;
    - `inconclusive` otherwise.

    That a test does not reject is no evidence: few patients would always pass. So equivalence must be shown.
    """
    attacked = [_attacked(like, losses, evidence.revised) for like in _asked(decision, evidence, target, losses)]
    rest = [*compared_with_original(with_sensitivities(decision), evidence), *_elsewhere(decision, evidence)]
    needs = [*few_patients([*attacked, *rest]), *missing_outputs([*attacked, *rest])]
    unreal = _unreal(decision, evidence, target, losses)
    if unreal or any(one.blocks for one in (*attacked, *rest)):
        verdict, why = Verdict.INCONCLUSIVE, [*unreal, *_open(attacked, rest)]
        needs = [*more_evidence([one for one in (*attacked, *rest) if one.blocks]), *needs]
    else:
        verdict, why = Verdict.QUALIFIED, [*named(attacked[:1], CHANCE_LEVEL), _detected(evidence, losses)]
    return Outcome(
        verdict=verdict,
        why=tuple(why),
        needs=tuple(merged(needs)),
        basis=Basis.PREDICTED,
        comparisons=(*attacked, *rest),
        decision=decision,
        notes=evidence.notes,
        remarks=remarks([*attacked, *rest], decision),
        target=target,
    )


def _asked(
    decision: Decision, evidence: Evidence, target: PredictedTarget, losses: MatchedLosses
) -> Iterator[Comparison]:
    """Yield the AUC over all forget training images, then that of each class as a guard, without figures."""
    few = decision.min_patients(MEMBERS) if MEMBERS in decision.subsets else MIN_PATIENTS
    like = Comparison(
        subset=MEMBERS,
        label=ALL,
        predicted=None,
        measure=MEMBERSHIP,
        margin=MARGIN if target.margin is None else target.margin,
        sides="both",
        min_patients=few,
    )
    yield like
    for label in losses.classes(evidence.class_names):
        yield replace(like, label=label, rule="not_beyond", is_guard=True, min_patients=0)


def _attacked(like: Comparison, losses: MatchedLosses, network: str) -> Comparison:
    """Return a comparison with the AUC of a network."""
    label = None if like.label == ALL else like.label
    patients, images = losses.counted(label)
    counted = replace(like, patients=patients, images=images)
    if fault := losses.fault(network, label):
        return replace(counted, fault=fault)
    found = losses.auc(network, label)
    low, high = found.interval()
    return replace(
        counted,
        patients=found.patients,
        value=found.value,
        target=CHANCE,
        low=low - CHANCE,
        high=high - CHANCE,
        patient_se=found.standard_error,
        patient_distance=(high - low) / 2,
    )


def _elsewhere(decision: Decision, evidence: Evidence) -> list[Comparison]:
    """Guard what of the forget part was never trained on: classes there must not be shown to be worse than before."""
    against = Against(evidence=evidence, healthy=decision.healthy_classes, others=(evidence.original,), fixed=True)
    return [
        one
        for subset in decision.subsets
        if part_of(subset) == "forget" and subset != MEMBERS
        for label in evidence.expected(subset)
        if evidence.of(subset, label) is not None
        for like in _guards(decision, subset, label)
        for one in compared(like, against)
        if one.patients > 1  # a single patient of a class has no interval; its outputs are finite, or object elsewhere
    ]


def _guards(decision: Decision, subset: str, label: str) -> Iterator[Comparison]:
    """Yield the guards of a class: neither is it recognised less often, nor less surely."""
    for measure in ("sensitivity", "mean_probability"):
        yield Comparison(
            subset=subset,
            label=label,
            predicted=None,
            measure=measure,
            margin=decision.margin(subset, measure),
            sides="lower",
            rule="not_beyond",
            is_guard=True,
            # Of the probabilities, that of the true class.
            pooled=(label,) if measure == "mean_probability" else (),
        )


def _unreal(decision: Decision, evidence: Evidence, target: PredictedTarget, losses: MatchedLosses) -> list[str]:
    """Return a sentence for each thing that makes the test say nothing, or the forgetting unreal."""
    subsets = [name for name in decision.subsets if part_of(name) == "forget"]
    found: list[str | None] = [*objections(evidence), *harmed_groups(decision, evidence)]
    found += [unchanged(evidence, subsets, target.name), artefact(evidence, subsets)]
    found += still_memorised(evidence, losses, margin=MARGIN if target.margin is None else target.margin)
    return [one for one in found if one is not None]


def _detected(evidence: Evidence, losses: MatchedLosses) -> str:
    return f"The same test detects the original ({shown(losses.auc(evidence.original))})."


def _open(attacked: Sequence[Comparison], rest: Sequence[Comparison]) -> list[str]:
    blocking = [one for one in (*attacked, *rest) if one.blocks]
    why = [f"{place(one)}: could not be judged, since {one.fault}." for one in blocking if one.value is None]
    judged = [one for one in blocking if one.value is not None]
    why += [
        f"{place(one)}: {one.patients} patients are too few to qualify a revision ({one.min_patients} are needed)."
        for one in judged
        if one.has_few_patients
    ]
    others = [one for one in judged if not one.has_few_patients]
    for said, compared_with, chosen in (
        ("Not shown to be as never trained on:", CHANCE_LEVEL, [one for one in others if one in attacked]),
        ("Not shown to be kept:", ORIGINAL, [one for one in others if one in rest]),
    ):
        why += [f"{said} {line}" for line in named(chosen, compared_with)]
    return why
