"""The record that describes one function of the predicate language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function of one image's values; its result is missing where one of them is missing.

    Attributes:
        name: What authors write, in lower case.
        words: The same in English; `{0}` is the first argument, `{all}` all of them.
        least: The smallest number of arguments.
        most: The largest number of arguments; None for no limit.
        takes: The kind of the arguments; `NUMBER` also takes ages. Of a text, which DICOM may join from several, a
            function takes each in turn.
        keeps_unit: Whether the result has the unit of the arguments; if not, it is a plain number.
        sql: Returns the SQL expression of the result, given those of the arguments.
        read: Of a function of texts, returns what a value of a spec compares as: a text whose order is that of the
            results. None where the value cannot be compared with them.
        example: A value that `read` takes, for messages.
    """

    name: str
    words: str
    least: int = 1
    most: int | None = 1
    takes: Kind = Kind.NUMBER
    keeps_unit: bool = False
    sql: Callable[[Sequence[str]], str] | None = None
    read: Callable[[str], str | None] | None = None
    example: str = ""

    @property
    def groups(self) -> bool:
        """Whether a call may end in `by (fields)`."""
        return False

    def check(self, arguments: int, *, by: int = 0) -> None:
        """Check the number of arguments of a call, and that it may be grouped.

        Raises:
            ValueError: The call does not fit the function.
        """
        if arguments < self.least or (self.most is not None and arguments > self.most):
            wanted = f"{self.least}" if self.most == self.least else f"at least {self.least}"
            plural = "" if wanted == "1" else "s"
            raise ValueError(f"{self.name} takes {wanted} argument{plural}, got {arguments}")
        if by and not self.groups:
            raise ValueError(f"{self.name} is computed per image: only a cohort statistic takes 'by'")


def finite(expression: str) -> str:
    """Return an SQL expression that is NULL where the given one is not a finite number (1 / 0, overflow).

    It filters a list of one element, because repeating the expression would double its length at each level.
    """
    return f"LIST_FILTER([{expression}], lambda number: ISFINITE(number))[1]"
