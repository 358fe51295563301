"""What a function of the predicate language is: how it is called, what it takes, and its SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function of one image's values; nothing where one of them is missing.

    Attributes:
        name: What authors write, in lower case.
        words: The same in words, `{0}` being the first argument and `{all}` all of them.
        least: How many arguments there are at least.
        most: How many there are at most; null for any number.
        takes: The kind of the arguments; `NUMBER` takes ages too.
        keeps_unit: Whether the result has the unit of the arguments; else it is a plain number.
        sql: Makes one SQL expression of those of the arguments.
    """

    name: str
    words: str
    least: int = 1
    most: int | None = 1
    takes: Kind = Kind.NUMBER
    keeps_unit: bool = False
    sql: Callable[[Sequence[str]], str] | None = None

    def check(self, arguments: int, *, by: int = 0) -> None:
        """Refuse a wrong number of arguments, and groups where there are none.

        Raises:
            ValueError: The call does not fit the function.
        """
        if arguments < self.least or (self.most is not None and arguments > self.most):
            wanted = f"{self.least}" if self.most == self.least else f"at least {self.least}"
            plural = "" if wanted == "1" else "s"
            raise ValueError(f"{self.name} takes {wanted} argument{plural}, got {arguments}")
        if by and not isinstance(self, Statistic):
            raise ValueError(f"{self.name} is computed of one image: only a cohort statistic goes on with 'by'")


@dataclass(frozen=True, kw_only=True)
class Statistic(Function):
    """A function that places an image in its cohort: the readable images of the population, or its group there.

    Nothing where an argument or a group's field is missing, or where the cohort has no spread.

    Attributes:
        meaning: What the number says, in words.
        aggregates: SQL aggregates over the cohort's `x`; `value` calls them `a0`, `a1`, ….
        value: SQL of the result, of the image's own `{x}` and the aggregates.
    """

    meaning: str
    aggregates: tuple[str, ...] = ()
    value: str = ""


def finite(expression: str) -> str:
    """Return an expression that is NULL where it is not a finite number: a division by zero, an overflow.

    A list of one is filtered rather than the expression repeated, which would double with each level.
    """
    return f"LIST_FILTER([{expression}], lambda number: ISFINITE(number))[1]"
