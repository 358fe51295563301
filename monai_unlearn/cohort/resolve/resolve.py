"""A spec meets an index: every image finds its part, rule by rule, and the guards have the last word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.cohort.language.predicate import Exists
from monai_unlearn.cohort.query.query import run_query
from monai_unlearn.cohort.query.statement import Question
from monai_unlearn.cohort.resolve.attrition import Attrition
from monai_unlearn.cohort.resolve.cohort import Cohort, Membership
from monai_unlearn.cohort.resolve.guards import check
from monai_unlearn.cohort.resolve.sample import drawn
from monai_unlearn.cohort.resolve.strata import Strata, fields_of, strata_of
from monai_unlearn.cohort.spec.document import Sample, Scope, Unknown
from monai_unlearn.cohort.typing.bind import bind
from monai_unlearn.cohort.typing.columns import Columns

if TYPE_CHECKING:
    from monai_unlearn.cohort.query.answers import Answers, Mask
    from monai_unlearn.cohort.spec.spec import CohortSpec
    from monai_unlearn.index import Index


def resolve(spec: CohortSpec, index: Index) -> Cohort:
    """Find the parts of an index.

    Raises:
        SpecError: A field or value does not fit the index.
        CohortError: The cohort is empty, leaves nothing, or is not what the spec expects.
        IndexReadError: The index cannot be read.
    """
    answers = run_query(index, question_of(spec, index))
    membership, attrition = partition(spec, answers)
    cohort = Cohort(spec=spec, index=index, answers=answers, membership=membership, attrition=attrition.rows)
    check(cohort)
    return cohort


def question_of(spec: CohortSpec, index: Index) -> Question:
    """Return what a spec asks of an index.

    Raises:
        SpecError: A field or value does not fit the index.
    """
    strata = fields_of(spec)
    predicates = [predicate for predicate in (spec.population, spec.forget) if predicate is not None]
    listing = f'The columns of this index are listed under "columns" in {index.directory / "index.json"}'
    bound = bind(
        [*predicates, *map(Exists, strata)],
        Columns(index.columns, index.units, listing),
        name=spec.source,
        value_sets=spec.value_sets,
    )
    return Question(
        population=spec.population, rules=spec.rules, bound=bound, value_sets=spec.value_sets, strata=strata
    )


def partition(spec: CohortSpec, answers: Answers) -> tuple[Membership, Attrition]:
    """Apply a spec's rules in their order: readable, population, rules, unknown, scope, sample.

    What a scope keeps together is to be forgotten if one of its images is, else undetermined if one of them
    may be: then no image of it remains. An image without the identifier may be of anything that is
    forgotten, and never remains.
    """
    attrition = Attrition(answers)
    state = _apply_rules(spec, answers, attrition)
    if spec.unknown is Unknown.FORGET:
        state.settle(state.unknown, forget=True)
        attrition.note("unknown: forget", state.forget)
    if spec.scope is not Scope.IMAGE:
        lost = _reach(spec.scope, answers, state, forget=spec.unknown is Unknown.FORGET)
        attrition.note(f"scope: {spec.scope.value}", state.forget, unknown=lost)
    strata = None
    if spec.sample is not None:
        strata, lost = _draw(spec.sample, answers, state, forget=spec.unknown is Unknown.FORGET)
        attrition.note(_sample_text(spec.sample), state.forget, unknown=lost)
    if spec.unknown is Unknown.REMAIN:
        state.unknown &= state.nameless
    remain = state.member & ~state.forget & ~state.unknown
    return Membership(state.forget, remain, state.unknown, strata), attrition


@dataclass
class _State:
    """What is settled so far, one entry a row in each mask.

    Attributes:
        member: The readable images that the cohort is or may be about.
        forget: The images to forget.
        possible: The others that no rule excludes.
        unknown: The images of which the rules, the scope or the sample cannot tell.
        nameless: Those of them that lack the identifier which the scope or the sample needs: they never remain.
    """

    member: Mask
    forget: Mask
    possible: Mask
    unknown: Mask
    nameless: Mask

    def settle(self, images: Mask, *, forget: bool) -> None:
        """Make images that nobody can tell of part of the images to forget, or undetermined."""
        self.forget, self.unknown = (
            (self.forget | images, self.unknown & ~images) if forget else (self.forget, self.unknown | images)
        )


def _apply_rules(spec: CohortSpec, answers: Answers, attrition: Attrition) -> _State:
    population = answers.population
    attrition.note("readable images", answers.readable)
    forget = answers.readable & population.true
    if spec.population is not None:
        unknown = answers.readable & ~population.true & ~population.false
        attrition.note(f"population: {spec.population.render(private=True)}", forget, unknown=unknown)
    refuted = np.zeros(len(forget), dtype=bool)
    for rule, verdict in zip(spec.rules, answers.rules, strict=True):
        unknown = forget & ~verdict.true & ~verdict.false
        forget = forget & verdict.true
        refuted |= verdict.false
        attrition.note(rule.render(private=True), forget, unknown=unknown)
    member = answers.readable & ~population.false
    return _State(
        member=member,
        forget=forget,
        possible=member & ~forget & ~refuted,
        unknown=member & ~forget & ~(refuted & population.true),
        nameless=np.zeros(len(forget), dtype=bool),
    )


def _reach(scope: Scope, answers: Answers, state: _State, *, forget: bool) -> Mask:
    """Extend what is to be forgotten, and what may be, to all of the same series, study or patient.

    Returns:
        The images that the scope leaves undetermined.
    """
    units = answers.units[scope.value]
    state.forget |= state.member & units.sharing(state.forget)
    state.unknown &= ~state.forget
    others = state.member & ~state.forget
    # Nobody can say that an image without the identifier is not of a patient (study, series) who must be forgotten.
    state.nameless = others & (units.codes < 0)
    lost = others & ~state.unknown & (state.nameless | units.sharing(state.possible & others))
    state.settle(lost, forget=forget)
    return lost & ~state.forget


def _draw(sample: Sample, answers: Answers, state: _State, *, forget: bool) -> tuple[Strata | None, Mask]:
    """Keep the drawn units to forget. The others remain, save those that no draw can name.

    Returns:
        What was drawn of each stratum, where there are any, and the images that the sample leaves undetermined.
    """
    units = answers.image if sample.by == "image" else answers.units["patient"]
    caught = state.forget & (units.codes >= 0)
    candidates = units.among(caught)
    values = [column.codes[caught] for column in answers.strata]
    strata = strata_of((np.cumsum(candidates) - 1)[units.codes[caught]], values) if values else None
    chosen = drawn(units.chosen(candidates), sample, strata)
    kept = np.zeros(len(candidates) + 1, dtype=bool)  # code -1 finds the last, which stays False
    kept[np.flatnonzero(candidates)[chosen]] = True
    lost = state.forget & ~caught
    state.nameless |= lost
    state.forget = caught & kept[units.codes]
    state.settle(lost, forget=forget)
    found = None if strata is None else Strata.of(strata, chosen, values)
    return found, lost & ~state.forget


def _sample_text(sample: Sample) -> str:
    size = f"fraction {sample.fraction:g}" if sample.fraction is not None else f"count {sample.count}"
    strata = "" if sample.stratify is None else f", stratified by {', '.join(sample.stratify)}"
    return f"sample: {size} by {sample.by}{strata}, seed {sample.seed}"
