"""The record that describes one cohort statistic: how its small table is made, and what it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.functions.function import Function

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

    Scores = Callable[[npt.NDArray[np.float64], npt.NDArray[np.intp]], npt.NDArray[np.float64]]


@dataclass(frozen=True, kw_only=True)
class Statistic(Function):
    """A function that places an image in its cohort: the readable images of the population, or its group there.

    A query computes a small table once and joins it to every image: a row per group, or per distinct value of a
    group. Everything that a query needs to know about the statistic is below; nothing depends on its name.

    The result is missing where an argument or the field of a group is missing, or where `value` is not finite.

    Attributes:
        meaning: What the result tells, in English.
        aggregates: SQL aggregates over the cohort's `x`, the argument; `value` calls them `{a0}`, `{a1}`, ….
        value: SQL of the result, from the image's own `{x}` and the aggregates.
        per_value: Whether the table has a row per distinct `x`. The aggregates are then those of this value, and
            may be taken over the window `cohort`, which is the group.
        scores: Computes the table in Python instead, with a row per distinct combination of the arguments. It
            takes one group at a time: the distinct rows in ascending order, shape (rows, arguments), and how many
            images have each, shape (rows,). It returns a score per row, shape (rows,), NaN where there is none;
            `value` calls it `{a0}`.
    """

    meaning: str
    aggregates: tuple[str, ...] = ()
    value: str = "{a0}"
    per_value: bool = False
    scores: Scores | None = None

    def __post_init__(self) -> None:
        if bool(self.aggregates) == (self.scores is not None):
            raise ValueError(f"{self.name}: expected either SQL aggregates or a Python function of scores")
        if self.aggregates and self.most != 1:
            raise ValueError(f"{self.name}: SQL aggregates are taken over one argument: expected most=1")

    @property
    def groups(self) -> bool:
        """Whether a call may end in `by (fields)`."""
        return True
