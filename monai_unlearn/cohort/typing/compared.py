"""How each condition of a predicate compares texts: exactly, folded, or by their letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.language.condition import Comparison, Condition, Contains, In, Like
from monai_unlearn.cohort.language.node import Reference, Value
from monai_unlearn.cohort.language.term import asks_about_people
from monai_unlearn.cohort.typing.term_type import type_of
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.folding import folding_matters
from monai_unlearn.vocabulary.laterality import side_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from monai_unlearn.cohort.language.predicate import Predicate
    from monai_unlearn.cohort.typing.columns import Bound

EXACT, FOLDED, LETTERS, SIDES = "exact", "folded", "letters", "sides"
WORDS = {
    EXACT: "exactly, as quoted",
    FOLDED: "with runs of white space as one space, and every kind of dash as -",
    LETTERS: "by letters and digits alone, whatever the case",
    SIDES: "as a side, R, L or B, in whatever words",
}
_SHOWN = 20  # values of one list


@dataclass(frozen=True)
class Compared:
    """What one condition compares.

    Attributes:
        condition: The condition.
        how: `EXACT`, `FOLDED`, `LETTERS` or `SIDES`.
        values: The values that it compares in this way.
    """

    condition: Condition
    how: str
    values: tuple[Value | Reference, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, without those that identify people."""
        hidden = asks_about_people(self.condition)
        given = [_side(value) if self.how == SIDES else value for value in self.values]
        values = list(dict.fromkeys(value.text if isinstance(value, Value) else str(value) for value in given))
        return {
            "field": self.condition.term.render(private=True),
            "how": self.how,
            "values": None if hidden else values[:_SHOWN],
            "matters": any(map(self._matters, self.values)),
        }

    def _matters(self, value: Value | Reference) -> bool:
        if self.how == SIDES:
            return isinstance(value, Reference) or value.text != str(_side(value))
        return self.how == LETTERS or (isinstance(value, Value) and folding_matters(value.text))


def compared(predicates: Iterable[Predicate], bound: Mapping[str, Bound | None]) -> Iterator[Compared]:
    """Yield what the conditions on texts compare, in the order of the predicates.

    Args:
        predicates: Predicates that fit the columns.
        bound: The columns of each field; conditions on fields whose columns are not known are left out.
    """
    for node in (node for predicate in predicates for node in predicate.walk()):
        if isinstance(node, Comparison | In | Contains | Like) and _is_text(node, bound):
            sides = _has_sides(node, bound)
            groups: dict[str, list[Value | Reference]] = {}
            for value in values_of(node):
                groups.setdefault(SIDES if sides else _how(node, value), []).append(value)
            yield from (Compared(node, how, tuple(values)) for how, values in groups.items())


def values_of(node: Comparison | In | Contains | Like) -> tuple[Value | Reference, ...]:
    """Return the values that a condition compares with."""
    if not isinstance(node, In):
        return (node.value,)
    return (node.values,) if isinstance(node.values, Reference) else node.values


def _is_text(node: Comparison | In | Contains | Like, bound: Mapping[str, Bound | None]) -> bool:
    if isinstance(node, Comparison) and node.operator.orders:
        return False
    found = type_of(node.term, bound)
    return found is not None and found.kind is Kind.TEXT and found.made_by is None


def _has_sides(node: Condition, bound: Mapping[str, Bound | None]) -> bool:
    found = type_of(node.term, bound)
    return found is not None and found.sides


def _side(value: Value | Reference) -> Value | Reference:
    """Return the side that a word stands for; a value set as it is."""
    if isinstance(value, Reference):
        return value
    return Value(side_of(value.text) or value.text)


def _how(node: Condition, value: Value | Reference) -> str:
    if isinstance(node, Like):
        return LETTERS
    return EXACT if isinstance(value, Value) and value.exact else FOLDED
