"""The base class of predicates, and those that ask whether a field has a value.

Predicates are frozen nodes that cannot be built invalid; `str(node)` is their canonical text, and
`parse(str(node)) == node` holds for every node. The place in a file that a node came from (`at`) does not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.node import Node

if TYPE_CHECKING:
    from monai_unlearn.cohort.language.term import Field


class Predicate(Node):
    """Evaluates to true or false for an image, or to unknown where a value is missing."""


@dataclass(frozen=True)
class Exists(Predicate):
    """`exists(field)`: true or false, never unknown."""

    field: Field

    @property
    def children(self) -> tuple[Node, ...]:
        """The field."""
        return (self.field,)

    def render(self, *, private: bool = False) -> str:
        """Return `exists(device)`."""
        return f"exists({self.field.render(private=private)})"


@dataclass(frozen=True)
class Missing(Predicate):
    """`missing(field)`: true or false, never unknown."""

    field: Field

    @property
    def children(self) -> tuple[Node, ...]:
        """The field."""
        return (self.field,)

    def render(self, *, private: bool = False) -> str:
        """Return `missing(device)`."""
        return f"missing({self.field.render(private=private)})"
