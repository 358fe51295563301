"""Predicates with some of their conditions replaced."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.condition import Condition
from monai_unlearn.cohort.language.logic import And, Not, Or

if TYPE_CHECKING:
    from collections.abc import Callable

    from monai_unlearn.cohort.language.predicate import Predicate


def mapped(node: Predicate, change: Callable[[Condition], Condition]) -> Predicate:
    """Return a predicate in which every condition is replaced by what `change` returns for it.

    >>> from monai_unlearn.cohort.language.node import Value
    >>> from monai_unlearn.cohort.language.parse import parse
    >>> print(mapped(parse("not (a == 1 and exists(b))"), lambda condition: replace(condition, value=Value("2"))))
    not (a == 2 and exists(b))
    """
    if isinstance(node, Condition):
        return change(node)
    if isinstance(node, Not):
        return replace(node, operand=mapped(node.operand, change))
    if isinstance(node, And | Or):
        return replace(node, operands=tuple(mapped(operand, change) for operand in node.operands))
    return node
