"""What would decide: how many patients, how many retrained networks, or which missing input."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.evaluation.decision.estimates import LEVEL, student_quantile
from monai_unlearn.evaluation.decision.sentences import place, points

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monai_unlearn.evaluation.decision.comparison import Comparison

MIN_SEEDS = 3
"""Fewer retrained networks say too little of how far they lie apart: t of two is 6.3, of three 2.9."""
MOST_SEEDS = 50
MOST_PATIENTS = 1000
"""More cannot be asked for, nor more than twice as many as there are: the remedy is another, and `text` says which."""


@dataclass(frozen=True, kw_only=True)
class Need:
    """Something that would decide.

    Attributes:
        what: `patients`, `seeds`, `reference`, `cohorts` of a rehearsal, `protocol`, or `output` where a network gave
            none.
        text: A sentence for people.
        subset: Where it is missing, if it is missing there alone.
        label: The true class, if it is missing there alone.
        has: How many there are.
        needs: How many would decide; null if no number within reason would.
    """

    what: str
    text: str
    subset: str | None = None
    label: str | None = None
    has: int | None = None
    needs: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as `metrics.json` holds it."""
        found = asdict(self)
        return {("class" if key == "label" else key): value for key, value in found.items()}


def few_patients(comparisons: Iterable[Comparison]) -> list[Need]:
    """Return the classes that have too few patients, or none, to support a verdict that promotes."""
    found: dict[tuple[str, str], Need] = {}
    for one in comparisons:
        if one.has_few_patients or (one.value is None and one.patients < 2):  # noqa: PLR2004 - a spread needs two
            needed = max(one.min_patients, 2)
            text = f"{place(one)}: needs at least {needed} patients, has {one.patients}."
            found.setdefault(
                (one.subset, one.label),
                Need(what="patients", text=text, subset=one.subset, label=one.label, has=one.patients, needs=needed),
            )
    return list(found.values())


def missing_outputs(comparisons: Iterable[Comparison]) -> list[Need]:
    """Return the classes whose images some network gave no finite output for."""
    found: dict[tuple[str, str], Need] = {}
    for one in comparisons:
        if one.fault and "finite" in one.fault:
            text = f"{place(one)}: needs a finite output of every network for every image; {one.fault}."
            need = Need(what="output", text=text, subset=one.subset, label=one.label)
            found.setdefault((one.subset, one.label), need)
    return list(found.values())


def missing_reference() -> Need:
    """Return what a run without retrained networks needs."""
    return Need(
        what="reference",
        text=(
            f"Networks retrained without the cohort, from {MIN_SEEDS} seeds on: --reference retrain --reference_seeds "
            f"{MIN_SEEDS}, or a list of their files."
        ),
        has=0,
        needs=MIN_SEEDS,
    )


def merged(needs: Iterable[Need]) -> list[Need]:
    """Return the needs, of several for the same thing the one that asks for most; beyond numbers is most of all."""
    found: dict[tuple[str, str | None, str | None], Need] = {}
    for one in needs:
        key = (one.what, one.subset, one.label)
        if key not in found or _asked(one) > _asked(found[key]):
            found[key] = one
    return list(found.values())


def more_evidence(comparisons: Sequence[Comparison]) -> list[Need]:
    """Return how many seeds and patients would bring open intervals inside their margins, if differences stay.

    Where a difference itself is at or beyond its margin, no number would; only seeds for the target are named then.
    """
    open_ones = [one for one in comparisons if one.value is not None and one.rule == "inside" and not one.is_inside]
    wanted = [(one, *_numbers(one)) for one in open_ones]
    patients: dict[tuple[str, str], Need] = {}
    for one, _, number in wanted:
        known = patients.get((one.subset, one.label))
        if number > max(one.patients, one.min_patients) and (known is None or number > _asked(known)):
            patients[one.subset, one.label] = _patients(number, one)
    seeds = [(number, one) for one, number, _ in wanted if one.seeds and number > one.seeds]
    return [*([_seeds(*max(seeds, key=lambda pair: pair[0]))] if seeds else []), *patients.values()]


def more_seeds(has: int) -> Need:
    """Return that there are fewer retrained networks than a verdict needs."""
    text = f"At least {MIN_SEEDS} networks retrained under different seeds, has {has}: --reference_seeds {MIN_SEEDS}."
    return Need(what="seeds", text=text, has=has, needs=MIN_SEEDS)


def _asked(one: Need) -> float:
    """Return how much a need asks for; where no number within reason would do, more than any."""
    return math.inf if one.needs is None else one.needs


def _patients(number: int, one: Comparison) -> Need:
    most = max(MOST_PATIENTS, 2 * one.patients)
    text = f"{place(one)}: about {number:,} patients would decide, has {one.patients:,}."
    if number > most:
        text = (
            f"{place(one)}: more than {most:,} patients cannot be asked for; the difference, "
            f"{points(one.difference)} points, leaves too little room to the margin, {100 * one.margin:g}. Revise "
            "again, or declare another margin before the next run."
        )
    needed = None if number > most else number
    return Need(what="patients", text=text, subset=one.subset, label=one.label, has=one.patients, needs=needed)


def _seeds(number: int, one: Comparison) -> Need:
    apart = f"lie {100 * (one.seed_sd or 0):.1f} points apart (standard deviation)"
    if number > MOST_SEEDS:
        text = (
            f"More than {MOST_SEEDS} seeds cannot be asked for; on {place(one)}, the retrained networks {apart}. "
            "Train them longer, so that they agree."
        )
        return Need(what="seeds", text=text, has=one.seeds, needs=None)
    text = f"About {number} networks retrained under different seeds, has {one.seeds}: on {place(one)} they {apart}."
    return Need(what="seeds", text=text, has=one.seeds, needs=number)


def _numbers(one: Comparison) -> tuple[int, int]:
    """Return how many seeds and patients would bring an interval inside its margin; 0 where there are enough."""
    room = one.margin - max(one.gap, 0.0)
    if room <= 0:
        # The difference stands in the way; what can be found out is the target.
        return (_seeds_for(one, one.margin) if one.is_target_undetermined else 0), 0
    target, patients = one.target_distance, one.patient_distance
    half = room / math.sqrt(2)
    for_target = math.sqrt(room**2 - patients**2) if patients < half else half
    for_patients = math.sqrt(room**2 - target**2) if target < half else half
    seeds = _seeds_for(one, for_target) if target > for_target else 0
    # The doubt about patients falls with the root of their number, or faster.
    number = math.ceil(one.patients * (patients / for_patients) ** 2) if patients > for_patients else 0
    return seeds, number


def _seeds_for(one: Comparison, distance: float) -> int:
    """Return how many seeds bring t·s_R/√R within a distance; one more than `MOST_SEEDS` if that many do not."""
    if one.seed_sd is None or not math.isfinite(one.seed_sd):
        return MIN_SEEDS
    for number in range(max(one.seeds or 0, MIN_SEEDS), MOST_SEEDS + 1):
        if float(student_quantile(number - 1, LEVEL)) * one.seed_sd / math.sqrt(number) <= distance:
            return number
    return MOST_SEEDS + 1
