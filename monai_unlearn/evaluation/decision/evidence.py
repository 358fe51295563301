"""What a decision judges: of every network, means of each patient by subset and true class."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.evaluation.decision.endpoint import part_of
from monai_unlearn.evaluation.prediction_table import RECALIBRATED, SLICE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from monai_unlearn.evaluation.prediction_table import PredictionTable

    Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ClassMeans:
    """The images of one true class in one subset, averaged within each patient: both eyes count once.

    Attributes:
        soft: The probability given to each class, shape (network, patient, class).
        hard: The share of images classified as each class, shape (network, patient, class).
        patients: The number of each patient within the subset, shape (patient,).
        images: How many images they are of.
        not_finite: Images without a finite output, by network; none of the means then holds.
    """

    soft: Array
    hard: Array
    patients: npt.NDArray[np.int64]
    images: int
    not_finite: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.patients)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The means of all networks on all subsets.

    Attributes:
        class_names: The classes, in the order of the last axis of the means.
        networks: The networks, in the order of the first axis.
        original: The network to revise.
        revised: The network that is judged.
        repeats: The same revision under other seeds.
        references: Retrained networks that count: recorded, and each another one.
        subsets: The means by subset, then true class; a class without images there is left out.
        proxies: What stands in for retrained networks, each another one: networks of a predictor.
        control: The revised network with BatchNorm statistics recalibrated on remain images, if there is such.
        groups: The same of remain by subset and slice, such as `sex F`.
        notes: What a reader must know, such as references that do not count, in sentences.
        multilabel: Whether the classes are states of labels, of which an image has one for each label.
    """

    class_names: tuple[str, ...]
    networks: tuple[str, ...]
    original: str
    revised: str
    references: tuple[str, ...]
    subsets: Mapping[str, Mapping[str, ClassMeans]]
    repeats: tuple[str, ...] = ()
    control: str | None = None
    proxies: tuple[str, ...] = ()
    groups: Mapping[tuple[str, str], Mapping[str, ClassMeans]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    multilabel: bool = False

    def rows(self, *names: str) -> list[int]:
        """Return the positions of networks on the first axis of the means."""
        return [self.networks.index(name) for name in names]

    def expected(self, subset: str) -> tuple[str, ...]:
        """Return the classes that a subset should have images of: those that its part has anywhere.

        A class that was forgotten as a whole has no image in remain, and nothing is missing there.
        """
        part = part_of(subset)
        found = {name for other, classes in self.subsets.items() if part_of(other) == part for name in classes}
        return tuple(name for name in self.class_names if name in found)

    def of(self, subset: str, label: str) -> ClassMeans | None:
        """Return the means of a class in a subset, or None if there is no image."""
        return self.subsets.get(subset, {}).get(label)


def gather(table: PredictionTable) -> Evidence:
    """Average a table of predictions within patients.

    References without a training record do not count, nor does one whose outputs are those of another network, or that
    was trained under the seed of another: how far seeds vary is what they are for.
    """
    references, notes = references_that_count(table)
    proxies, more = _that_count(table, "proxy")
    notes += more
    control = f"{table.named('revised')[0]}{RECALIBRATED}"
    controls = [name for name in table.named("control") if name == control]
    judged = [name for role in ("original", "revised", "repeat") for name in table.named(role)]
    names = (*judged, *references, *controls, *proxies)
    soft = np.stack([table.probabilities(name) for name in names])
    predicted = np.nan_to_num(soft).argmax(-1)
    hard = np.eye(len(table.class_names))[predicted]
    patients, unknown = patient_numbers(table)
    if unknown:
        notes.append(f"{unknown} images have no patient; each counts as a patient of its own.")
    labels = table.frame["label"].to_numpy(object)
    places = (table.frame["part"] + "_" + table.frame["split"]).to_numpy(object)

    def means_of(chosen: npt.NDArray[np.bool_]) -> dict[str, dict[str, ClassMeans]]:
        found: dict[str, dict[str, ClassMeans]] = {}
        for place, label in sorted(set(zip(places[chosen], labels[chosen], strict=True))):
            rows = np.flatnonzero(chosen & (places == place) & (labels == label))
            found.setdefault(place, {})[label] = _class_means(names, soft[:, rows], hard[:, rows], patients[rows])
        return found

    subsets = means_of(np.ones(len(labels), dtype=bool))
    remain = (table.frame["part"] == "remain").to_numpy(dtype=bool)
    groups = {
        (place, f"{name.replace('_', ' ')} {value}"): classes
        for name in table.slices
        for value in sorted(table.frame.loc[remain, f"{SLICE}{name}"].dropna().unique())
        for place, classes in means_of(remain & (table.frame[f"{SLICE}{name}"] == value).to_numpy(bool)).items()
    }
    return Evidence(
        class_names=table.class_names,
        networks=names,
        original=table.named("original")[0],
        revised=table.named("revised")[0],
        repeats=table.named("repeat"),
        references=tuple(references),
        control=control if controls else None,
        proxies=tuple(proxies),
        subsets=subsets,
        groups=groups,
        notes=tuple(notes),
        multilabel=table.multilabel,
    )


def of_predictor(evidence: Evidence, table: PredictionTable, predictor: str) -> Evidence:
    """Return evidence with the proxies of one predictor alone; those that no predictor is named for count for each."""
    others = {one.name for one in table.networks if one.predictor not in (None, predictor)}
    return replace(evidence, proxies=tuple(name for name in evidence.proxies if name not in others))


def references_that_count(table: PredictionTable) -> tuple[list[str], list[str]]:
    """Choose the retrained networks that count by name, and say in sentences which do not and why."""
    return _that_count(table, "reference")


def _that_count(table: PredictionTable, role: str) -> tuple[list[str], list[str]]:
    chosen: list[str] = []
    notes: list[str] = []
    seeds: dict[tuple[str | None, int], str] = {}
    others = [*table.named("original"), *table.named("revised")]
    for one in (network for network in table.networks if network.role == role):
        if not one.recorded:
            notes.append(f"{one.name} does not count: no training record says that it never saw the forget part.")
        elif twins := [name for name in (*others, *chosen) if _same(table, name, one.name)]:
            notes.append(f"{one.name} does not count: its outputs are those of {twins[0]}.")
        elif one.seed is not None and (one.predictor, one.seed) in seeds:
            notes.append(
                f"{one.name} does not count: it was trained under the seed of {seeds[one.predictor, one.seed]}."
            )
        else:
            chosen.append(one.name)
            if one.seed is not None:
                seeds[one.predictor, one.seed] = one.name
    return chosen, notes


def _same(table: PredictionTable, first: str, second: str) -> bool:
    return len(table.frame) > 0 and np.array_equal(table.logits[first], table.logits[second], equal_nan=True)


def patient_numbers(table: PredictionTable) -> tuple[npt.NDArray[np.int64], int]:
    """Number the patients from 0; an image without one gets a number of its own. Also count such images."""
    numbers = table.frame["patient"].astype(object).factorize()[0].astype(np.int64)
    unknown = numbers < 0
    numbers[unknown] = numbers.max(initial=-1) + 1 + np.arange(int(unknown.sum()))
    return numbers, int(unknown.sum())


def _class_means(names: tuple[str, ...], soft: Array, hard: Array, numbers: npt.NDArray[np.int64]) -> ClassMeans:
    patients, place, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    order = np.argsort(place, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    faulty = (~np.isfinite(soft).all(-1)).sum(1)

    def averaged(values: Array) -> Array:
        return np.asarray(np.add.reduceat(values[:, order], starts, axis=1) / counts[None, :, None])

    return ClassMeans(
        soft=averaged(soft),
        hard=averaged(hard),
        patients=patients,
        images=len(numbers),
        not_finite={name: int(one) for name, one in zip(names, faulty, strict=True) if one},
    )
