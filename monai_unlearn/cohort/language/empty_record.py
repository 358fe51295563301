"""Evaluate a predicate on a record with every field missing."""

from __future__ import annotations

from functools import singledispatch

from monai_unlearn.cohort.language.condition import Condition
from monai_unlearn.cohort.language.logic import And, Not, Or
from monai_unlearn.cohort.language.predicate import Exists, Missing, Predicate


@singledispatch
def value_of_empty_record(node: Predicate) -> bool | None:
    """Return true, false, or None for unknown, with every field missing.

    Raises:
        NotImplementedError: No handler is registered for this type of node.

    >>> from monai_unlearn.cohort import parse
    >>> value_of_empty_record(parse("missing(device) or age > 60"))
    True
    """
    raise NotImplementedError(type(node).__name__)


@value_of_empty_record.register(Condition)
def _condition(node: Condition) -> None:  # noqa: ARG001 - a condition on a missing value is unknown, whatever it asks
    return None


@value_of_empty_record.register(Exists)
def _exists(node: Exists) -> bool:  # noqa: ARG001 - no field exists
    return False


@value_of_empty_record.register(Missing)
def _missing(node: Missing) -> bool:  # noqa: ARG001 - every field is missing
    return True


@value_of_empty_record.register(Not)
def _not(node: Not) -> bool | None:
    value = value_of_empty_record(node.operand)
    return None if value is None else not value


@value_of_empty_record.register(And)
def _and(node: And) -> bool | None:
    values = [value_of_empty_record(operand) for operand in node.operands]
    return False if False in values else None if None in values else True


@value_of_empty_record.register(Or)
def _or(node: Or) -> bool | None:
    values = [value_of_empty_record(operand) for operand in node.operands]
    return True if True in values else None if None in values else False
