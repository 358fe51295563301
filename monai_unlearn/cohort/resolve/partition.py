"""Which part each image belongs to: rules, then unknown values, scope and sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.cohort.query.contradicting import Contradicting
from monai_unlearn.cohort.resolve.attrition import Attrition, RowKind
from monai_unlearn.cohort.resolve.membership import Membership
from monai_unlearn.cohort.resolve.missing_identifier import lacks_identifier
from monai_unlearn.cohort.resolve.sample import drawn, sample_text
from monai_unlearn.cohort.resolve.strata import Strata, strata_of
from monai_unlearn.cohort.spec.document import Sample, Scope, Unknown

if TYPE_CHECKING:
    from monai_unlearn.cohort.query.answers import Answers, Mask
    from monai_unlearn.cohort.spec.spec import CohortSpec


def partition(spec: CohortSpec, answers: Answers) -> tuple[Membership, Attrition]:
    """Apply a spec in its order: readable, population, rules, unknown, scope, sample.

    With a scope, if one image of a patient (study, series) is to be forgotten, all of them are. Otherwise, if it is
    unknown whether one of them must be forgotten, all of them are undetermined. An image without the identifier may
    belong to a patient who is forgotten, so it never remains; see `missing_identifier`. Nor is any rule or scope
    certain of an image whose copies contradict each other; see `query/contradicting.py`.
    """
    attrition = Attrition(answers)
    state = _apply_rules(spec, answers, attrition)
    forget_unknown = spec.unknown is Unknown.FORGET
    if forget_unknown:
        state.settle(state.undetermined, forget=True)
        attrition.note(RowKind.UNKNOWN, "unknown: forget", state.forget)
    if spec.scope is not Scope.IMAGE:
        lost = _extend_to_scope(spec.scope, answers, state, forget=forget_unknown)
        attrition.note(RowKind.SCOPE, f"scope: {spec.scope.value}", state.forget, unknown=lost)
    strata = None
    if spec.sample is not None:
        strata, lost = _draw_sample(spec.sample, answers, state, forget=forget_unknown)
        attrition.note(RowKind.SAMPLE, sample_text(spec.sample), state.forget, unknown=lost)
    undetermined = _excluded_as_undetermined(state, spec.unknown)
    remain = state.population & ~state.forget & ~undetermined
    return Membership(state.forget, remain, undetermined, strata), attrition


@dataclass
class _State:
    """What is decided so far, one entry per row in each mask.

    Attributes:
        population: The readable images that are, or may be, in the population.
        forget: The images to forget.
        possible: The other images that no rule excludes.
        undetermined: The images that the rules, the scope or the sample cannot decide.
        unidentified: The undetermined images that lack the identifier which the scope or the sample needs.
    """

    population: Mask
    forget: Mask
    possible: Mask
    undetermined: Mask
    unidentified: Mask

    def settle(self, images: Mask, *, forget: bool) -> None:
        """Move images that cannot be decided to the images to forget, or to the undetermined ones."""
        if forget:
            self.forget, self.undetermined = self.forget | images, self.undetermined & ~images
        else:
            self.undetermined = self.undetermined | images


def _excluded_as_undetermined(state: _State, unknown: Unknown) -> Mask:
    """Return the undetermined images, which are used neither to forget nor to remain.

    With `unknown: remain` they remain, except those without the identifier that the scope or the sample needs. With
    `unknown: forget` they have been moved to the images to forget already. With `unknown: fail` the guards refuse
    the cohort if there are any.
    """
    return state.undetermined & state.unidentified if unknown is Unknown.REMAIN else state.undetermined


def _apply_rules(spec: CohortSpec, answers: Answers, attrition: Attrition) -> _State:
    population = answers.population
    attrition.note(RowKind.READABLE, "readable images", answers.readable)
    forget = answers.readable & population.true
    if spec.population is not None:
        unknown = answers.readable & ~population.true & ~population.false
        attrition.note(
            RowKind.POPULATION, f"population: {spec.population.render(private=True)}", forget, unknown=unknown
        )
    refuted = np.zeros(len(forget), dtype=bool)
    for rule, verdict in zip(spec.rules, answers.rules, strict=True):
        unknown = forget & ~verdict.true & ~verdict.false
        forget = forget & verdict.true
        refuted |= verdict.false
        attrition.note(RowKind.RULE, rule.render(private=True), forget, unknown=unknown)
    in_population = answers.readable & ~population.false
    return _State(
        population=in_population,
        forget=forget,
        possible=in_population & ~forget & ~refuted,
        undetermined=in_population & ~forget & ~(refuted & population.true),
        unidentified=np.zeros(len(forget), dtype=bool),
    )


def _extend_to_scope(scope: Scope, answers: Answers, state: _State, *, forget: bool) -> Mask:
    """Extend what is to be forgotten, and what is undetermined, to all images of the same series, study or patient.

    Returns:
        The images that the scope leaves undetermined.
    """
    units = answers.units[scope.value]
    doubtful = Contradicting.of(answers).rows
    # No patient is certain of an image whose copies contradict each other, so no scope reaches it.
    state.forget |= state.population & units.sharing(state.forget) & ~doubtful
    state.undetermined &= ~state.forget
    others = state.population & ~state.forget
    state.unidentified = others & lacks_identifier(units)
    lost = others & ~state.undetermined & (state.unidentified | units.sharing(state.possible & others))
    state.settle(lost, forget=forget)
    return lost & ~state.forget


def _draw_sample(sample: Sample, answers: Answers, state: _State, *, forget: bool) -> tuple[Strata | None, Mask]:
    """Keep the drawn units to forget. The others remain, except those without the identifier to draw them by.

    Returns:
        What was drawn of each stratum, if there are strata, and the images that the sample leaves undetermined.
    """
    units = answers.image if sample.by == "image" else answers.units["patient"]
    lost = state.forget & lacks_identifier(units)
    selected = state.forget & ~lost
    candidates = units.among(selected)
    values = [column.codes[selected] for column in answers.strata]
    strata = strata_of((np.cumsum(candidates) - 1)[units.codes[selected]], values) if values else None
    chosen = drawn(units.chosen(candidates), sample, strata)
    kept = np.zeros(len(candidates) + 1, dtype=bool)  # code -1 finds the last, which stays False
    kept[np.flatnonzero(candidates)[chosen]] = True
    state.unidentified |= lost
    state.forget = selected & kept[units.codes]
    state.settle(lost, forget=forget)
    found = None if strata is None else Strata.of(strata, chosen, values)
    return found, lost & ~state.forget
