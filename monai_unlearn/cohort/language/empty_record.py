"""What a predicate says of an image of which nothing is known, found on the nodes alone."""

from __future__ import annotations

from functools import singledispatch

from monai_unlearn.cohort.language.predicate import And, Condition, Exists, Missing, Not, Or, Predicate


@singledispatch
def value_of_empty_record(node: Predicate) -> bool | None:
    """Return true, false, or None for unknown, where every field is missing.

    Raises:
        NotImplementedError: A new kind of node has not said what it makes of an empty record.
    """
    raise NotImplementedError(type(node).__name__)


@value_of_empty_record.register
def _(node: Condition) -> bool | None:  # noqa: ARG001 - what is asked of nothing is always unknown
    return None


@value_of_empty_record.register
def _(node: Exists) -> bool:  # noqa: ARG001 - nothing exists
    return False


@value_of_empty_record.register
def _(node: Missing) -> bool:  # noqa: ARG001 - everything is missing
    return True


@value_of_empty_record.register
def _(node: Not) -> bool | None:
    value = value_of_empty_record(node.operand)
    return None if value is None else not value


@value_of_empty_record.register
def _(node: And) -> bool | None:
    values = [value_of_empty_record(operand) for operand in node.operands]
    return False if False in values else None if None in values else True


@value_of_empty_record.register
def _(node: Or) -> bool | None:
    values = [value_of_empty_record(operand) for operand in node.operands]
    return True if True in values else None if None in values else False
