"""The lists of values in the predicates of a spec: value sets, literal lists, and single identifiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.condition import Comparison, Condition, In, Operator
from monai_unlearn.cohort.language.node import Reference
from monai_unlearn.cohort.language.term import asks_about_people, statistics_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from monai_unlearn.cohort.language.predicate import Predicate
    from monai_unlearn.cohort.language.term import Term


@dataclass(frozen=True)
class ValueList:
    """Values that a term is compared with one by one.

    Attributes:
        label: How reports name the list, without its values: `@withdrawn`, `[… 3 values]`, `== …`.
        set_name: The name of the value set; None for values that are written in the predicate.
        term: What the values are compared with.
        texts: The distinct values, as the author wrote them, sorted.
        ignores_case: Whether upper and lower case are the same.
    """

    label: str
    set_name: str | None
    term: Term
    texts: tuple[str, ...]
    ignores_case: bool = False


def value_lists(predicates: Iterable[Predicate], value_sets: Mapping[str, Sequence[str]]) -> tuple[ValueList, ...]:
    """Return the lists in some predicates, each once, in order of appearance.

    A list is a value set, `in […]`, or the values that a field which identifies people is compared with by `==`, `!=`
    or `~=`: each of these names somebody. Values of a cohort statistic are no list: they are limits.

    >>> from monai_unlearn.cohort.language.parse import parse
    >>> found = value_lists([parse("patient in @gone or patient == P7 or age in [3, 4]")], {"gone": ("P1", "P2")})
    >>> [(one.label, str(one.term), len(one.texts)) for one in found]
    [('@gone', 'patient', 2), ('== …', 'patient', 1), ('[… 2 values]', 'age', 2)]
    """
    singles: dict[tuple[Term, bool], set[str]] = {}
    found: dict[object, ValueList] = {}
    for node in _conditions(predicates):
        ignores_case = isinstance(node, Comparison) and node.operator is Operator.SAME
        values = node.values if isinstance(node, In) else node.value
        if isinstance(values, Reference):
            texts = tuple(sorted(value_sets.get(values.name, ())))
            one = ValueList(str(values), values.name, node.term, texts, ignores_case)
            found[one] = one
        elif isinstance(values, tuple):
            texts = tuple(sorted({value.text for value in values}))
            one = ValueList(f"[… {len(texts)} values]", None, node.term, texts)
            found[one] = one
        else:
            texts_so_far = singles.setdefault((node.term, ignores_case), set())
            texts_so_far.add(values.text)
            label = "~= …" if ignores_case else "== …"
            whole = ValueList(label, None, node.term, tuple(sorted(texts_so_far)), ignores_case)
            found["single", node.term, ignores_case] = whole
    return tuple(found.values())


def _conditions(predicates: Iterable[Predicate]) -> Iterator[In | Comparison]:
    for predicate in predicates:
        for node in predicate.walk():
            if isinstance(node, Condition) and _is_list(node) and not statistics_of([node]):
                yield node  # type: ignore[misc] # `_is_list` has checked it


def _is_list(node: Condition) -> bool:
    if isinstance(node, In):
        return True
    if not isinstance(node, Comparison) or node.operator.orders:
        return False
    return isinstance(node.value, Reference) or asks_about_people(node)
