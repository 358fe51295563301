"""Judges a revised network against mean probabilities that proxies of retraining predict."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from monai_unlearn.evaluation.decision.applied_protocol import DEFAULT_BOUND
from monai_unlearn.evaluation.decision.artefact import artefact
from monai_unlearn.evaluation.decision.compare_subsets import TWO, Against, compared, filled, shown, values_of
from monai_unlearn.evaluation.decision.counterparts import compare_unpaired, counterparts
from monai_unlearn.evaluation.decision.endpoint import part_of, words
from monai_unlearn.evaluation.decision.failure_bound import failure_bound, is_accepted
from monai_unlearn.evaluation.decision.half_way import behind
from monai_unlearn.evaluation.decision.harmed_groups import harmed_groups
from monai_unlearn.evaluation.decision.kept import ORIGINAL, compared_with_original, with_sensitivities
from monai_unlearn.evaluation.decision.match import asked
from monai_unlearn.evaluation.decision.needs import Need, few_patients, merged, missing_outputs, more_evidence
from monai_unlearn.evaluation.decision.objections import objections
from monai_unlearn.evaluation.decision.outcome import Outcome
from monai_unlearn.evaluation.decision.protocol import MIN_COHORTS
from monai_unlearn.evaluation.decision.sentences import difference, named, place
from monai_unlearn.evaluation.decision.small_earlier import remarks
from monai_unlearn.evaluation.decision.target import MIN_PROXIES, PredictedTarget
from monai_unlearn.evaluation.decision.unchanged import unchanged
from monai_unlearn.evaluation.decision.verdict import Basis, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.evaluation.decision.applied_protocol import AppliedProtocol
    from monai_unlearn.evaluation.decision.comparison import Comparison
    from monai_unlearn.evaluation.decision.decision import Decision
    from monai_unlearn.evaluation.decision.evidence import Evidence

PREDICTED = "predicted"
MEASURED = "mean_probability"
"""The measure that predictors predict, and whose error is measured."""


def judge_predicted(
    decision: Decision, evidence: Evidence, target: PredictedTarget, applied: AppliedProtocol | None = None
) -> Outcome:
    """Judge whether the revised network is, on the forget part, what a predictor says that retraining gives.

    - `qualified` if every interval on the forget part, widened by the predictor's measured error of that class, lies
      inside its margin, remain is shown to be no worse than under the original, and nothing blocks;
    - `inconclusive` otherwise. A prediction never shows that a network is different from retrained ones.

    Where the original itself meets the target, meeting it shows nothing, and the verdict is `inconclusive` too; and so
    it is where a class whose gap exceeds the margin has less than half of it closed. The error on one more cohort is
    larger than the largest of m in a share of cohorts that `failure_bound(m, m)` bounds: few measured cohorts qualify
    a run only where it accepts that bound.

    Args:
        decision: What was declared.
        evidence: The means of all networks.
        target: What the predictor says, with its measured errors.
        applied: The protocol that the errors stand in, with the bound that the run accepts; None for the default.
    """
    forget = _forget(decision, evidence, target)
    rest = compared_with_original(with_sensitivities(decision), evidence)
    needs = [*few_patients([*forget, *rest]), *missing_outputs([*forget, *rest])]
    blocking = [one for one in (*forget, *rest) if one.blocks]
    few = _few_cohorts(target, DEFAULT_BOUND if applied is None else applied.accepted)
    found = [*(one.text for one in few), *_unreal(decision, evidence, target, forget)]
    if blocking or found:
        verdict, why = Verdict.INCONCLUSIVE, [*found, *_open(forget, rest)]
        needs = [*few, *more_evidence([one for one in rest if one.blocks]), *needs]
    else:
        verdict, why = Verdict.QUALIFIED, [_met(forget, target)]
    return Outcome(
        verdict=verdict,
        why=tuple(why),
        needs=tuple(merged(needs)),
        basis=Basis.PREDICTED,
        comparisons=(*forget, *rest),
        decision=decision,
        notes=(*evidence.notes, *(applied.notes() if applied else ())),
        remarks=remarks([*forget, *rest], decision),
        protocol=applied.held() if applied else None,
        target=target,
    )


def predicted_rows(decision: Decision, evidence: Evidence, target: PredictedTarget) -> list[dict[str, Any]]:
    """Return what a predictor said of each class of the forget part, beside what the retrained networks say.

    Returns:
        Of each subset of the forget part that an endpoint is about, and each class that it has images of: `predicted`
        and `retrained`, the mean probability of the true class, and `error`, the largest absolute difference over all
        classes' probabilities.
    """
    rows = []
    for subset in (name for name in decision.subsets if part_of(name) == "forget"):
        for label in evidence.expected(subset):
            means = evidence.of(subset, label)
            said = _predicted(evidence, target, subset, label)
            if means is None or said is None or not evidence.references:
                continue
            truth = means.soft[evidence.rows(*evidence.references)].mean((0, 1))
            own, error = evidence.class_names.index(label), np.abs(said - truth).max()
            if np.isfinite(error):
                shares = {"predicted": said[own], "retrained": truth[own], "error": error}
                rows.append({"subset": subset, "class": label, **{key: float(one) for key, one in shares.items()}})
    return rows


def _predicted(evidence: Evidence, target: PredictedTarget, subset: str, label: str) -> Any:  # noqa: ANN401 - an array or None
    """Return the predicted row of a class, shape (class,); None if there is no image, or nothing predicts it."""
    names = evidence.proxies if target.proxies else (evidence.original,)
    means = evidence.of(subset, label)
    if target.counterparts and subset == "forget_train":
        means = counterparts(evidence, target.counterparts, label)
    return None if means is None or not names else means.soft[evidence.rows(*names)].mean((0, 1))


def _forget(decision: Decision, evidence: Evidence, target: PredictedTarget) -> list[Comparison]:
    """Return the comparisons on the forget part: endpoints with widened intervals, guards with their own."""
    fixed = target.proxies < MIN_PROXIES
    against = Against(evidence=evidence, healthy=decision.healthy_classes, others=evidence.proxies, fixed=fixed)
    likes = [one for one in asked(decision, evidence) if part_of(one.subset) == "forget"]
    found = []
    for like in likes:
        if not evidence.proxies or (not fixed and len(evidence.proxies) < MIN_PROXIES):
            found.append(replace(like, fault=f"there are {len(evidence.proxies)} proxies, expected {target.proxies}"))
        elif target.counterparts and like.subset == "forget_train":
            found += [_widened(one, target) for one in _on_counterparts(like, against, target)]
        else:
            found += [_widened(one, target) for one in compared(like, against)]
    return found


def _on_counterparts(like: Comparison, against: Against, target: PredictedTarget) -> list[Comparison]:
    """Compare the forget training images of a class with what is predicted of their never-trained counterparts."""
    evidence = against.evidence
    means, others = evidence.of(like.subset, like.label), counterparts(evidence, target.counterparts, like.label)
    classes = shown(like, evidence)
    one = replace(like, patients=0 if means is None else len(means), images=0 if means is None else means.images)
    fault = against.fault(means)
    if others is None or len(others) < TWO:
        fault = fault or "there are no never-trained images of the class to predict it by"
    elif lost := sum(others.not_finite.get(name, 0) for name in against.others):
        fault = fault or f"{lost} never-trained images have no finite output of {', '.join(against.others)}"
    if fault or means is None or others is None:
        return [replace(one, predicted=classes[0], fault=fault)]
    one = replace(one, patients=min(len(means), len(others)))
    subject, _ = against.split(values_of(like, against, means))
    _, predicted = against.split(values_of(like, against, others))
    return filled(one, compare_unpaired(subject, predicted.mean(0)), classes)


def _widened(one: Comparison, target: PredictedTarget) -> Comparison:
    """Widen the interval of an endpoint by the predictor's measured error; a guard keeps its own, narrower one."""
    if one.is_guard or one.value is None:
        return one
    if one.measure != MEASURED or (error := target.errors.get((one.subset, one.label))) is None:
        unmeasured = f"the error of {target.name} was not measured for this class and measure"
        return replace(one, value=None, fault=unmeasured)
    return replace(one, low=max(one.low - error, -1.0), high=min(one.high + error, 1.0), error=error)


def _few_cohorts(target: PredictedTarget, accepted: float) -> list[Need]:
    """Return that the error was measured on too few cohorts, if it was."""
    bound = failure_bound(target.cohorts, target.cohorts) if target.cohorts else 1.0
    if target.cohorts and is_accepted(bound, accepted):
        return []
    text = (
        f"The error of {target.name} was measured on {target.cohorts} rehearsal cohorts; on up to {100 * bound:.0f} % "
        f"of cohorts it may be larger, and the run accepts up to {100 * accepted:.0f} %. At least {MIN_COHORTS} bound "
        "them by 26 %."
    )
    return [Need(what="cohorts", text=text, has=target.cohorts, needs=max(MIN_COHORTS, target.cohorts + 1))]


def _unreal(decision: Decision, evidence: Evidence, target: PredictedTarget, forget: Sequence[Comparison]) -> list[str]:
    """Return what forbids a verdict that promotes, however the intervals lie."""
    subsets = [name for name in decision.subsets if part_of(name) == "forget"]
    # Where counterparts stand for the forget training images, nothing is predicted of single ones.
    each = [name for name in subsets if not (target.counterparts and name == "forget_train")]
    found: list[str | None] = [*objections(evidence), *harmed_groups(decision, evidence)]
    found += [unchanged(evidence, subsets, target.name, each), artefact(evidence, subsets)]
    before = _forget(decision, replace(evidence, revised=evidence.original, control=None), target)
    if not any(one.blocks for one in before if not one.is_guard):
        found.append(
            f"The original itself meets what {target.name} predicts: on these images, meeting it does not tell "
            "forgetting from none."
        )
    found += behind(before, forget, f"what {target.name} predicts")
    return [one for one in found if one is not None]


def _met(forget: Sequence[Comparison], target: PredictedTarget) -> str:
    judged = [one for one in forget if one.rule == "inside"]
    closest = max(judged, key=lambda one: one.reach)
    return (
        f"All {len(judged)} intervals (90 %) on the forget part, widened by the measured error of {target.name}, lie "
        "inside their margins, remain is no worse than under the original, and no guard objects. Nearest to its "
        f"margin: {difference(closest, PREDICTED)}"
    )


def _open(forget: Sequence[Comparison], rest: Sequence[Comparison]) -> list[str]:
    """Say what stands in the way, first what no further evidence would remove."""
    blocking = [one for one in (*forget, *rest) if one.blocks]
    why = [f"{place(one)}: could not be judged, since {one.fault}." for one in blocking if one.value is None]
    judged = [one for one in blocking if one.value is not None]
    wrong = {(one.subset, one.label): one for one in judged if (one.error or 0.0) >= one.margin}
    why += [
        f"{words(one.subset)}, class {one.label}: the measured error of the prediction, "
        f"{100 * (one.error or 0.0):.1f} points, exceeds the margin, {100 * one.margin:g}: nothing can be shown by it."
        for one in wrong.values()
    ]
    few = {(one.subset, one.label): one for one in judged if one.has_few_patients}
    why += [
        f"{place(one)}: {one.patients} patients are too few to qualify a revision ({one.min_patients} are needed)."
        for one in few.values()
    ]
    others = [one for one in judged if one not in wrong.values() and not one.has_few_patients]
    for said, compared_with, chosen in (
        ("Not shown to be as predicted:", PREDICTED, [one for one in others if one in forget]),
        ("Not shown to be kept:", ORIGINAL, [one for one in others if one in rest]),
    ):
        why += [f"{said} {line}" for line in named(chosen, compared_with)]
    return why
