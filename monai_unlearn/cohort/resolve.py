"""A spec meets an index: every image finds its part, rule by rule, and the guards have the last word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.cohort.attrition import Attrition
from monai_unlearn.cohort.bind import bind
from monai_unlearn.cohort.cohort import Cohort, Membership
from monai_unlearn.cohort.document import Sample, Scope, Unknown
from monai_unlearn.cohort.guards import check
from monai_unlearn.cohort.query import Answers, ask
from monai_unlearn.cohort.sample import chosen_units

if TYPE_CHECKING:
    from monai_unlearn.cohort.query import Mask
    from monai_unlearn.cohort.spec import CohortSpec
    from monai_unlearn.index import Index


def resolve(spec: CohortSpec, index: Index) -> Cohort:
    """Find the parts of an index.

    Raises:
        SpecError: A field or value does not fit the index.
        CohortError: The cohort is empty, leaves nothing, or is not what the spec expects.
        IndexReadError: The index cannot be read.
    """
    predicates = [spec.forget] if spec.population is None else [spec.population, spec.forget]
    listing = f'The columns of this index are listed under "columns" in {index.directory / "index.json"}'
    bound = bind(predicates, index.columns, name=spec.source, listing=listing)
    answers = ask(index, spec.population, spec.rules, bound)
    membership, attrition = divide(spec, answers)
    cohort = Cohort(spec=spec, index=index, answers=answers, membership=membership, attrition=attrition.rows)
    check(cohort)
    return cohort


def divide(spec: CohortSpec, answers: Answers) -> tuple[Membership, Attrition]:
    """Apply a spec's rules in their order: readable, population, rules, unknown, scope, sample."""
    attrition = Attrition(answers)
    state = _apply_rules(spec, answers, attrition)
    if spec.unknown is Unknown.FORGET:
        state.forget |= state.unknown
        attrition.note("unknown: forget", state.forget)
    if spec.scope is not Scope.IMAGE:
        state.forget |= state.member & answers.units[spec.scope.value].sharing(state.forget)
        attrition.note(f"scope: {spec.scope.value}", state.forget)
    state.unknown &= ~state.forget
    if spec.sample is not None:
        _draw(spec.sample, answers, state, keep_nameless=spec.unknown is Unknown.FORGET)
        attrition.note(_sample_text(spec.sample), state.forget)
    if spec.unknown is Unknown.REMAIN:
        state.unknown &= state.nameless
    remain = state.member & ~state.forget & ~state.unknown
    return Membership(forget=state.forget, remain=remain, undetermined=state.unknown), attrition


@dataclass
class _State:
    """What is settled so far, one entry a row in each mask.

    Attributes:
        member: The readable images that the cohort is or may be about.
        forget: The images to forget.
        unknown: The images of which the rules cannot tell.
        nameless: Those without the identifier that the scope or the sample needs: never remain.
    """

    member: Mask
    forget: Mask
    unknown: Mask
    nameless: Mask


def _apply_rules(spec: CohortSpec, answers: Answers, attrition: Attrition) -> _State:
    attrition.note("readable images", answers.readable)
    forget = answers.readable & answers.population.true
    if spec.population is not None:
        attrition.note(f"population: {spec.population.render(private=True)}", forget)
    refuted = np.zeros(len(forget), dtype=bool)
    remaining = forget.copy()
    for rule, verdict in zip(spec.rules, answers.rules, strict=True):
        forget = forget & verdict.true
        refuted |= remaining & verdict.false
        attrition.note(rule.render(private=True), forget)
    member = answers.readable & ~answers.population.false
    nameless = np.zeros(len(forget), dtype=bool)
    if spec.scope is not Scope.IMAGE:
        # Nobody can say that such an image is not of a patient (study, series) who must be forgotten.
        nameless = member & ~forget & (answers.units[spec.scope.value].codes < 0)
    return _State(member=member, forget=forget, unknown=member & ~forget & (~refuted | nameless), nameless=nameless)


def _draw(sample: Sample, answers: Answers, state: _State, *, keep_nameless: bool) -> None:
    """Keep the drawn units to forget. The others remain, save those that no draw can name."""
    units = answers.image if sample.by == "image" else answers.units["patient"]
    candidates = units.among(state.forget)
    drawn = chosen_units((name for name, wanted in zip(units.names, candidates, strict=True) if wanted), sample)
    is_drawn = np.array([*(value in drawn for value in units.names), keep_nameless], dtype=bool)
    nameless = state.forget & (units.codes < 0)
    state.forget &= is_drawn[units.codes]
    lost = nameless & ~state.forget
    state.unknown |= lost
    state.nameless |= lost


def _sample_text(sample: Sample) -> str:
    size = f"fraction {sample.fraction:g}" if sample.fraction is not None else f"count {sample.count}"
    return f"sample: {size} by {sample.by}, seed {sample.seed}"
