"""What an audit is: one frozen record, and what it is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from scipy.special import softmax

from monai_unlearn.evaluation.decision.evidence import patient_numbers, references_that_count
from monai_unlearn.evaluation.prediction_table import AS_TRAINED
from monai_unlearn.vocabulary.parts import JUDGED_PARTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy.typing as npt

    from monai_unlearn.evaluation.audits.figure import Finding
    from monai_unlearn.evaluation.prediction_table import PredictionTable

    Array = npt.NDArray[np.float64]
    Rows = npt.NDArray[np.int64]


class Networks(Protocol):
    """The networks of a run, by their names in the table of predictions; rows are numbers of rows of that table."""

    def features(self, network: str, rows: Rows) -> Array:
        """Return what goes into the last layer with weights, shape (row, feature)."""
        ...

    def relearn(self, network: str, rows: Rows) -> Iterator[Array]:
        """Descend on the loss of these images, one batch a step; yield their logits, (row, class), after each step."""
        ...

    def recalibrated(self, rows: Rows, *, images: int, seed: int) -> Array:
        """Return the logits of the revised network, its BatchNorm recalibrated on so many remain images."""
        ...

    @property
    def has_batch_norm(self) -> bool:
        """Whether the network keeps running statistics."""
        ...


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What an audit takes.

    Attributes:
        passes: Forward passes of single images; a gradient counts as three.
        seconds: What it takes besides, on a slow core.
    """

    passes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Audited:
    """What audits look at.

    Args:
        table: What every network predicts for every image.
        networks: The networks themselves; None where there is the table alone.
        seed: Seeds every draw.
        plots: The folder for plots, if any are wanted.
        seconds_left: How many seconds audits may still take.
    """

    table: PredictionTable
    networks: Networks | None = None
    seed: int = 0
    plots: Path | None = None
    seconds_left: Callable[[], float] = field(default=lambda: float("inf"))

    @property
    def of_run(self) -> Networks:
        """The networks themselves.

        Raises:
            ValueError: There are none: an audit that needs them was asked of a table alone.
        """
        if self.networks is None:
            raise ValueError("This audit needs the networks themselves.")
        return self.networks

    @cached_property
    def original(self) -> str:
        """The network to revise."""
        return self.table.named("original")[0]

    @cached_property
    def revised(self) -> str:
        """The revised network."""
        return self.table.named("revised")[0]

    @cached_property
    def as_trained(self) -> str | None:
        """The revised network before its recalibration, where it is in the table."""
        name = self.revised + AS_TRAINED
        return name if name in self.table.named("control") else None

    @cached_property
    def retrained(self) -> tuple[str, ...]:
        """The retrained networks that count: recorded, and each another one."""
        return tuple(references_that_count(self.table)[0])

    @property
    def subjects(self) -> tuple[str, ...]:
        """The original, the revised and the retrained networks, in this order."""
        return (self.original, self.revised, *self.retrained)

    @cached_property
    def labels(self) -> Rows:
        """The number of the true class of each row."""
        order = {name: number for number, name in enumerate(self.table.class_names)}
        return np.asarray(self.table.frame["label"].map(order), dtype=np.int64)

    @cached_property
    def patients(self) -> Rows:
        """The number of the patient of each row; an image without one counts as a patient of its own."""
        return patient_numbers(self.table)[0]

    @cached_property
    def places(self) -> npt.NDArray[Any]:
        """The subset of each row, such as `forget_train`."""
        return (self.table.frame["part"] + "_" + self.table.frame["split"]).to_numpy(object)

    @cached_property
    def finite(self) -> npt.NDArray[np.bool_]:
        """Whether every audited network has a finite output for a row; the other rows are in no audit."""
        return np.asarray(np.all([np.isfinite(self.table.logits[name]).all(1) for name in self.subjects], axis=0))

    @cached_property
    def subsets(self) -> tuple[str, ...]:
        """The subsets of forget and remain that have images, in the order in which tables list them."""
        found = dict.fromkeys(self.places[self.finite])
        return tuple(name for part in JUDGED_PARTS for name in found if str(name).startswith(f"{part}_"))

    def rows(self, *subsets: str) -> Rows:
        """Return the rows of subsets with a finite output of every network."""
        return np.flatnonzero(np.isin(self.places, subsets) & self.finite)

    def sample(self, most: int, *subsets: str) -> Rows:
        """Return at most so many rows of subsets, drawn by the seed, in their order."""
        rows = self.rows(*subsets)
        if len(rows) <= most:
            return rows
        return np.sort(np.random.default_rng(self.seed).choice(rows, most, replace=False))

    def own(self, network: str, rows: Rows) -> Array:
        """Return the probability that a network gives to the true class of rows, shape (row,)."""
        return own_probability(self.table.logits[network][rows], self.labels[rows])

    def others(self, network: str) -> tuple[str, ...]:
        """Return the retrained networks that a network is compared with: all of them but itself."""
        return tuple(name for name in self.retrained if name != network)


def own_probability(logits: npt.NDArray[np.floating[Any]], classes: Rows) -> Array:
    """Return the softmax probability of each image's class in float64.

    Args:
        logits: Shape (image, class).
        classes: Their numbers, shape (image,).
    """
    return np.asarray(softmax(logits.astype(np.float64), axis=1)[np.arange(len(classes)), classes])


@dataclass(frozen=True, kw_only=True)
class Audit:
    """A look at what a network still knows, below its accuracy.

    Args:
        name: Its name in configs, `metrics.json` and cards.
        description: One sentence for the card: what it shows, and how to read it.
        measure: Returns what it finds.
        cost: What it takes of the networks, estimated; None where it needs the table of predictions alone.

    Raises:
        ValueError: The name is no identifier in lower case.

    >>> from monai_unlearn.evaluation.audits import Finding
    >>> Audit(name="nothing", description="Shows nothing.", measure=lambda audited: Finding()).needs_networks
    False
    """

    name: str
    description: str
    measure: Callable[[Audited], Finding]
    cost: Callable[[Audited], Cost] | None = None

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or self.name != self.name.lower():
            raise ValueError(f"An audit's name is an identifier in lower case, not '{self.name}'.")

    @property
    def needs_networks(self) -> bool:
        """Whether the table of predictions is not enough."""
        return self.cost is not None
