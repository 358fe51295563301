"""Draws rehearsal cohorts like a real one: another device, or other patients."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.errors import CohortError, DataError
from monai_unlearn.experiments.alike import BY_PATIENTS, FACTOR, Likeness, attribute_of, classes_of, patients_of
from monai_unlearn.experiments.drawn_spec import open_folder, write_spec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pandas as pd

    from monai_unlearn.cohort import Cohort
    from monai_unlearn.index import Index

GIVEN, ANOTHER_VALUE, WITHIN_VALUE, OTHER_PATIENTS = "given", "another_value", "patients_of_a_value", "other_patients"
_NAME = 44
_STREAM = 16
# Of other patients, in turn, as a share of the real cohort's: cohorts to come are a little smaller, or larger.
_SIZES = (1.0, 0.8, 1.25)


@dataclass(frozen=True, kw_only=True)
class RehearsalCohort:
    """A cohort to rehearse with.

    Attributes:
        spec: Its spec.
        path: The spec's file.
        kind: `given`; `another_value`: all of another value of the field, such as another device;
            `patients_of_a_value`: some patients of one; or `other_patients`.
        patients: How many patients it has.
        images: How many images.
        classes: Its classes, sorted.
    """

    spec: CohortSpec
    path: Path
    kind: str
    patients: int
    images: int
    classes: tuple[str, ...]


def given_cohort(path: Path, index: Index, *, real: Likeness | None = None) -> RehearsalCohort:
    """Return the cohort of a spec that the user gives.

    Args:
        path: The spec.
        index: The index.
        real: The real cohort, which it must be like; None where there is none.

    Raises:
        DataError: It is not like the real cohort.
        InputError: The spec cannot be resolved.
    """
    spec = CohortSpec.read(path)
    frame = spec.resolve(index).forget
    if real is not None and (said := real.differs(frame)):
        raise DataError(f"{path}: not a cohort like the first one: {said}. Give another, or let cohorts be drawn.")
    return _cohort(spec, path, GIVEN, frame, index.label)


def draw(
    model: Path,
    index: Index,
    folder: Path,
    *,
    count: int,
    given: Sequence[RehearsalCohort] = (),
    seed: int = 0,
) -> list[RehearsalCohort]:
    """Draw cohorts like that of a spec, and write their specs; with a larger count, the first ones stay the same.

    - Where the spec forgets one value of a field, such as a device: the other values that have as many patients, the
      most similar in size first; then random patients of values that have more.
    - Where it is about withdrawn consent or wrong labels: as many patients of the same classes from the remain part,
      and a fifth fewer and a quarter more in turn, so that the real size lies between.

    None has an image of the real cohort. Patients, and images, are at least half and at most twice the real ones.

    Args:
        model: The spec of the real cohort.
        index: The index.
        folder: Where to write the specs and the lists of patients; made for its owner alone.
        count: How many to draw.
        given: Cohorts that are rehearsed on beside those drawn; a value that one of them is about is not drawn again.
        seed: Seeds the draws.

    Raises:
        DataError: The index does not give so many, or the spec is of neither form.
    """
    spec = CohortSpec.read(model)
    cohort = spec.resolve(index)
    open_folder(folder)
    taken = frozenset(image for one in given for image in one.spec.resolve(index).image_ids["forget"])
    drawer = _Drawer(
        spec=spec, cohort=cohort, index=index, like=Likeness.of(cohort), folder=folder, taken=taken, seed=seed
    )
    found = list(itertools.islice(drawer.drawn(), count))
    if len(found) < count:
        raise DataError(
            f"{model}: expected to draw {count} cohorts like it, but the index gives {len(found)}: as many patients "
            f"({drawer.like.patients}, or half to twice that) of the same classes are needed each. Draw fewer with "
            "--draw, or give rehearsal cohorts with --spec."
        )
    return found


@dataclass(frozen=True, kw_only=True)
class _Drawer:
    spec: CohortSpec
    cohort: Cohort
    index: Index
    like: Likeness
    folder: Path
    taken: frozenset[str]
    seed: int

    def drawn(self) -> Iterator[RehearsalCohort]:
        """Yield cohorts until there are no more."""
        if self.spec.reason.value in BY_PATIENTS:
            yield from self._of_other_patients()
            return
        name = attribute_of(self.spec)
        if name is None:
            raise DataError(
                f"{self.spec.source}: cohorts like it cannot be drawn, since it is neither one value of a field "
                "('device == …') nor about withdrawn consent or wrong labels. Give rehearsal cohorts with --spec."
            )
        values = self._values(name)
        yield from self._of_other_values(name, values)
        yield from self._within_values(name, values)

    def _values(self, name: str) -> list[tuple[str, pd.DataFrame]]:
        """Return the values of a field in the remain part with their images, the most similar in size first."""
        columns = [column for column, _ in self.cohort.bound[name].columns]
        remain = self.cohort.remain
        value = remain[columns[0]]
        for column in columns[1:]:
            value = value.fillna(remain[column])
        groups = [(str(one), remain[value == one]) for one in sorted(value.dropna().unique(), key=str)]
        return sorted(groups, key=lambda pair: (abs(patients_of(pair[1]) - self.like.patients), pair[0]))

    def _of_other_values(self, name: str, values: Sequence[tuple[str, pd.DataFrame]]) -> Iterator[RehearsalCohort]:
        number = 0
        for value, frame in values:
            if self.like.differs(frame) is None and not self.taken & set(frame["image_id"].astype(str)):
                rule = f"{self._field(name)} in @value"
                if one := self._written(f"value-{number + 1:02}", ANOTHER_VALUE, rule, {"value": [value]}):
                    number += 1
                    yield one

    def _within_values(self, name: str, values: Sequence[tuple[str, pd.DataFrame]]) -> Iterator[RehearsalCohort]:
        """Yield patients of one value at a time, in turn; of each value, everybody once before anybody twice."""
        rule = f"{self._field(name)} in @value and patient in @drawn"
        larger = [pair for pair in values if patients_of(pair[1]) >= self.like.patients]
        decks = {value: _Deck(frame, self.seed, number) for number, (value, frame) in enumerate(larger)}
        number, missed = 0, 0
        while decks and missed < len(decks) * _STREAM:
            for value, frame in larger:
                size = min(self.like.patients, patients_of(frame) // FACTOR)
                patients = decks[value].deal(size)
                one = None
                if self.like.differs(frame[frame["patient"].isin(patients)]) is None:
                    lists = {"value": [value], "drawn": patients}
                    one = self._written(f"patients-{number + 1:02}", WITHIN_VALUE, rule, lists)
                missed += one is None
                if one is not None:
                    number += 1
                    yield one

    def _of_other_patients(self) -> Iterator[RehearsalCohort]:
        """Yield as many patients of each class as the real cohort has, from those who remain."""
        wanted = _by_class(self.cohort.forget, self.like.label)
        groups = _by_class(self._eligible(), self.like.label)
        short = [name for name, patients in wanted.items() if len(groups.get(name, ())) < len(patients)]
        if short or not wanted:
            return
        number, missed = 0, 0
        while missed < _STREAM:
            rng = np.random.default_rng([self.seed, number, missed])
            factor = _SIZES[number % len(_SIZES)]
            patients = [
                str(one)
                for name, real in sorted(wanted.items())
                for one in rng.choice(
                    np.array(groups[name], dtype=object),
                    size=min(len(groups[name]), max(1, round(factor * len(real)))),
                    replace=False,
                )
            ]
            one = self._written(f"draw-{number + 1:02}", OTHER_PATIENTS, "patient in @drawn", {"drawn": patients})
            missed = missed + 1 if one is None else 0
            if one is not None:
                number += 1
                yield one

    def _eligible(self) -> pd.DataFrame:
        """Return the images of patients who wholly remain, and have no image of another class than the real cohort."""
        remain, label = self.cohort.remain, self.like.label
        others = {*self.cohort.forget["patient"].dropna(), *self.cohort.undetermined["patient"].dropna()}
        frame = remain[remain["patient"].notna() & ~remain["patient"].isin(others)]
        if label is None:
            return frame
        strange = frame.loc[~frame[label].astype(str).isin(self.like.classes), "patient"]
        return frame[~frame["patient"].isin(strange)]

    def _written(self, suffix: str, kind: str, rule: str, lists: dict[str, list[str]]) -> RehearsalCohort | None:
        """Write a spec, resolve it, and return the cohort if it came out like the real one."""
        name = f"{self.spec.name[:_NAME].rstrip('-')}-{suffix}"
        spec = write_spec(self.spec, self.folder, name=name, forget=rule, lists=lists)
        try:
            frame = spec.resolve(self.index).forget
        except CohortError:
            return None
        if self.like.differs(frame) is not None:
            return None
        return _cohort(spec, self.folder / f"{name}.yaml", kind, frame, self.like.label)

    @staticmethod
    def _field(name: str) -> str:
        from monai_unlearn.cohort.language.term import Field

        return str(Field(name))


class _Deck:
    """Patients in a random order: everybody is dealt once before anybody is dealt again."""

    def __init__(self, frame: pd.DataFrame, seed: int, number: int) -> None:
        self._all = sorted(frame["patient"].dropna().astype(str).unique())
        self._rng = np.random.default_rng([seed, number])
        self._left: list[str] = []

    def deal(self, size: int) -> list[str]:
        if len(self._left) < size:
            self._left = [str(one) for one in self._rng.permutation(np.array(self._all, dtype=object))]
        dealt, self._left = self._left[:size], self._left[size:]
        return dealt


def _by_class(frame: pd.DataFrame, label: str | None) -> dict[str, list[str]]:
    """Return the patients by the class of their first image; all under one name where there are no labels."""
    first = frame[frame["patient"].notna()].sort_values("image_id").drop_duplicates("patient")
    if label is None:
        return {"": sorted(first["patient"].astype(str))}
    return {str(name): sorted(rows["patient"].astype(str)) for name, rows in first.groupby(first[label].astype(str))}


def _cohort(spec: CohortSpec, path: Path, kind: str, frame: pd.DataFrame, label: str | None) -> RehearsalCohort:
    return RehearsalCohort(
        spec=spec,
        path=path,
        kind=kind,
        patients=patients_of(frame),
        images=len(frame),
        classes=tuple(sorted(classes_of(frame, label))),
    )
