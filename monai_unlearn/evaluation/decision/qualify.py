"""Judges a revised network by a rehearsed protocol, without a retrained one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.evaluation.decision.artefact import artefact
from monai_unlearn.evaluation.decision.endpoint import part_of
from monai_unlearn.evaluation.decision.harmed_groups import harmed_groups
from monai_unlearn.evaluation.decision.kept import ORIGINAL, compared_with_original, with_sensitivities
from monai_unlearn.evaluation.decision.moved_range import beside, changes
from monai_unlearn.evaluation.decision.needs import (
    Need,
    few_patients,
    merged,
    missing_outputs,
    missing_reference,
    more_evidence,
)
from monai_unlearn.evaluation.decision.objections import objections
from monai_unlearn.evaluation.decision.outcome import Outcome
from monai_unlearn.evaluation.decision.protocol import MIN_COHORTS
from monai_unlearn.evaluation.decision.sentences import named, place
from monai_unlearn.evaluation.decision.small_earlier import remarks
from monai_unlearn.evaluation.decision.unchanged import moved
from monai_unlearn.evaluation.decision.verdict import Basis, Verdict
from monai_unlearn.vocabulary.parts import is_earlier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.evaluation.decision.applied_protocol import AppliedProtocol, CohortFacts
    from monai_unlearn.evaluation.decision.comparison import Comparison
    from monai_unlearn.evaluation.decision.decision import Decision
    from monai_unlearn.evaluation.decision.evidence import Evidence
    from monai_unlearn.evaluation.decision.moved_range import Moved


MEMBERS = "forget_train"


def judge_by_protocol(decision: Decision, evidence: Evidence, applied: AppliedProtocol) -> Outcome:
    """Judge whether a protocol qualifies the revised network.

    `qualified` if all of this holds, `inconclusive` if not:

    - the rehearsal bounds the share of failures as closely as the run asks;
    - the cohort is like those of the rehearsal in reason, patients, share and classes;
    - remain is shown to be no worse than under the original, by mean sensitivity, each class and false negatives;
    - each class of the forget part moved as it did in the rehearsal: its mean probability, what its images are
      classified as, how many patients' predictions moved, and by how much;
    - its predictions moved at least as far from the original's as those of the rehearsal's least revised network, and
      the move is in the weights, not in BatchNorm's statistics.
    """
    remain = compared_with_original(with_sensitivities(decision), evidence)
    rehearsal = applied.protocol.rehearsal
    ranges = {one.place: (one.low, one.high) for one in rehearsal.ranges}
    found = beside(changes(decision, evidence), ranges)
    outside = [
        *applied.cohort.outside(applied.protocol),
        *_other_decision(decision, applied),
        *_other_images(evidence, applied.cohort),
    ]
    unreal = _unreal(decision, evidence, rehearsal.least_moved)
    why = [*([] if applied.is_accepted else [_bound(applied)]), *outside, *unreal]
    why += list(dict.fromkeys(one.sentence for one in found if not one.is_inside))
    why += _not_kept(remain)
    verdict = Verdict.INCONCLUSIVE if why else Verdict.QUALIFIED
    return Outcome(
        verdict=verdict,
        why=tuple(why) or (_all_inside(found, remain),),
        needs=tuple(merged(_needs(applied, outside, found, remain))) if why else (),
        basis=Basis.PROTOCOL,
        comparisons=tuple(remain),
        decision=decision,
        notes=(*evidence.notes, *applied.notes()),
        remarks=remarks(remain, decision),
        summary=_summary(verdict, rehearsal.line),
        protocol=applied.held([one.to_dict() for one in found]),
    )


def _other_decision(decision: Decision, applied: AppliedProtocol) -> list[str]:
    """Return a sentence if the decision is not the one that was rehearsed, earlier cohorts aside."""
    rehearsed = type(decision).from_config(applied.protocol.decision, class_names=decision.class_names)
    asked = tuple(one for one in decision.endpoints if not is_earlier(one.part))
    if (asked, decision.healthy_classes) == (rehearsed.endpoints, rehearsed.healthy_classes):
        return []
    return ["The decision is not the one that the protocol was rehearsed with."]


def _other_images(evidence: Evidence, cohort: CohortFacts) -> list[str]:
    """Return a sentence if the predictions are of another forget part than that of the cohort."""
    patients = {int(one) for means in evidence.subsets.get(MEMBERS, {}).values() for one in means.patients}
    if (len(patients), evidence.expected(MEMBERS)) == (cohort.patients, cohort.classes):
        return []
    return ["The predictions are of another forget part than that of the cohort."]


def _unreal(decision: Decision, evidence: Evidence, least: float) -> list[str]:
    """Return what forbids a verdict however the intervals lie: among it a network that hardly moved."""
    forget = [name for name in decision.subsets if part_of(name) == "forget"]
    found = moved(evidence, evidence.revised, forget)
    said = [*objections(evidence), *harmed_groups(decision, evidence), artefact(evidence, forget)]
    if not found >= least or found == 0.0:
        said.append(
            f"The revised network's probabilities on the forget part differ from the original's by "
            f"{100 * found:.2f} points on average; in the rehearsal the least revised one differed by "
            f"{100 * least:.2f}."
        )
    return [one for one in said if one is not None]


def _not_kept(remain: Sequence[Comparison]) -> list[str]:
    blocking = [one for one in remain if one.blocks]
    why = [f"{place(one)}: could not be judged, since {one.fault}." for one in blocking if one.value is None]
    judged = [one for one in blocking if one.value is not None]
    few = {(one.subset, one.label): one for one in judged if one.has_few_patients}
    why += [
        f"{place(one)}: {one.patients} patients are too few to be judged ({one.min_patients} are needed)."
        for one in few.values()
    ]
    worse = [one for one in judged if not one.has_few_patients]
    if worse:
        why += ["Remain is not shown to be as good as under the original.", *named(worse, ORIGINAL)]
    return why


def _bound(applied: AppliedProtocol) -> str:
    return (
        f"The rehearsal bounds the share of failures by {100 * applied.bound:.0f} % only "
        f"({applied.protocol.rehearsal.line}); the run accepts up to {100 * applied.accepted:.0f} %."
    )


def _summary(verdict: Verdict, line: str) -> str:
    if verdict is Verdict.QUALIFIED:
        return f"by a rehearsed protocol ({line})"
    return f"the rehearsed protocol does not qualify it ({line})"


def _all_inside(found: Sequence[Moved], remain: Sequence[Comparison]) -> str:
    places = len({(one.subset, one.label) for one in found})
    return (
        f"The cohort is like those of the rehearsal, each of its {places} classes and subsets moved as there, "
        f"and all {len(remain)} comparisons with the original show remain to be kept."
    )


def _needs(
    applied: AppliedProtocol, outside: Sequence[str], found: Sequence[Moved], remain: Sequence[Comparison]
) -> list[Need]:
    needs = []
    rehearsal = applied.protocol.rehearsal
    if not applied.is_accepted:
        needed = max(MIN_COHORTS, rehearsal.cohorts + 1)
        text = (
            f"A rehearsal of more cohorts, or fewer failures: at least {MIN_COHORTS} cohorts, all equivalent, bound "
            f"them by 26 %; it has {rehearsal.line}."
        )
        if rehearsal.equivalent:
            text = f"{text} Or --accept_bound {applied.bound:.2f}, where that is good enough."
        needs.append(Need(what="cohorts", text=text, has=rehearsal.cohorts, needs=needed))
    if outside:
        text = "A protocol rehearsed on cohorts like this one: monai-unlearn rehearse with this spec."
        needs.append(Need(what="protocol", text=text))
    needs += [
        Need(
            what="patients",
            text=f"{one.sentence[:1].upper()}{one.sentence[1:]}",
            subset=one.subset,
            label=one.label,
            has=one.patients,
            needs=one.min_patients,
        )
        for one in found
        if one.change is not None and one.has_few_patients
    ]
    return [*needs, *few_patients(remain), *missing_outputs(remain), *more_evidence(remain), missing_reference()]
