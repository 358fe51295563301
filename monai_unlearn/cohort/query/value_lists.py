"""The lists of values in the predicates of a spec: value sets, literal lists, and single identifiers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from monai_unlearn.cohort.language.condition import Comparison, In, Like, Operator
from monai_unlearn.cohort.language.node import Reference
from monai_unlearn.cohort.language.term import asks_about_people, statistics_of
from monai_unlearn.vocabulary.counted import counted
from monai_unlearn.vocabulary.folding import folded, letters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from monai_unlearn.cohort.language.node import Value
    from monai_unlearn.cohort.language.predicate import Predicate
    from monai_unlearn.cohort.language.term import Term


class Spelling(str, Enum):
    """Which other spellings of a value a condition takes to be equal, besides those that folding makes equal."""

    OWN = "=="
    ANY_CASE = "~="
    LETTERS = "like"


class Listed(NamedTuple):
    """One value of a list.

    Attributes:
        text: The value, as the author wrote it.
        exact: Whether it was quoted, so that texts are compared with it as it is. Values of a value set are folded.
    """

    text: str
    exact: bool = False

    @classmethod
    def of(cls, value: Value) -> Listed:
        """Return a value that is written in a predicate."""
        return cls(value.text, value.exact)


@dataclass(frozen=True)
class ValueList:
    """Values that a term is compared with one by one.

    Attributes:
        label: How reports name the list, without its values: `@withdrawn`, `[… 3 values]`, `== …`.
        set_name: The name of the value set; None for values that are written in the predicate.
        term: What the values are compared with.
        values: The values, sorted; of several that the condition takes to be equal, one.
        spelling: Which other spellings count as equal.
    """

    label: str
    set_name: str | None
    term: Term
    values: tuple[Listed, ...]
    spelling: Spelling = Spelling.OWN


def value_lists(predicates: Iterable[Predicate], value_sets: Mapping[str, Sequence[str]]) -> tuple[ValueList, ...]:
    """Return the lists in some predicates, each once, in order of appearance.

    A list is a value set, `in […]`, or the values that a field which identifies people is compared with by `==`, `!=`,
    `~=` or `like`: each of these names somebody. Values of a cohort statistic are no list: they are limits.

    >>> from monai_unlearn.cohort.language.parse import parse
    >>> found = value_lists([parse("patient in @gone or patient == P7 or age in [3, 4]")], {"gone": ("P1", "P2")})
    >>> [(one.label, str(one.term), len(one.values)) for one in found]
    [('@gone', 'patient', 2), ('== …', 'patient', 1), ('[… 2 values]', 'age', 2)]
    """
    singles: dict[tuple[Term, Spelling], set[Listed]] = {}
    found: dict[object, ValueList] = {}
    for node in _conditions(predicates):
        spelling = _spelling(node)
        values = node.values if isinstance(node, In) else node.value
        if isinstance(values, Reference):
            listed = _distinct(map(Listed, value_sets.get(values.name, ())), spelling)
            one = ValueList(str(values), values.name, node.term, listed, spelling)
            found[one] = one
        elif isinstance(values, tuple):
            listed = _distinct(map(Listed.of, values), spelling)
            one = ValueList(f"[… {counted(len(listed), 'value')}]", None, node.term, listed)
            found[one] = one
        else:
            so_far = singles.setdefault((node.term, spelling), set())
            so_far.add(Listed.of(values))
            whole = ValueList(f"{spelling.value} …", None, node.term, _distinct(so_far, spelling), spelling)
            found["single", node.term, spelling] = whole
    return tuple(found.values())


def _distinct(values: Iterable[Listed], spelling: Spelling) -> tuple[Listed, ...]:
    """Return one of the values that a condition takes to be equal: a patient who is listed twice counts once."""
    found: dict[object, Listed] = {}
    for listed in sorted(values):
        found.setdefault(_key(listed, spelling), listed)
    return tuple(sorted(found.values()))


def _key(listed: Listed, spelling: Spelling) -> object:
    if spelling is Spelling.LETTERS:
        return letters(listed.text)
    text = listed.text if listed.exact else folded(listed.text)
    return listed.exact, text.lower() if spelling is Spelling.ANY_CASE else text


def _spelling(node: In | Comparison | Like) -> Spelling:
    if isinstance(node, Like):
        return Spelling.LETTERS
    same = isinstance(node, Comparison) and node.operator is Operator.SAME
    return Spelling.ANY_CASE if same else Spelling.OWN


def _conditions(predicates: Iterable[Predicate]) -> Iterator[In | Comparison | Like]:
    for predicate in predicates:
        for node in predicate.walk():
            if isinstance(node, In | Comparison | Like) and _is_list(node) and not statistics_of([node]):
                yield node


def _is_list(node: In | Comparison | Like) -> bool:
    if isinstance(node, In):
        return True
    if isinstance(node, Comparison) and node.operator.orders:
        return False
    return isinstance(node.value, Reference) or asks_about_people(node)
