"""People whom a spec lists where consent is withdrawn, and who are not forgotten all the same.

Another condition, the population or the sample may leave their images out, or the list is negated by mistake.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.cohort.language.condition import (
    Between,
    Comparison,
    Condition,
    Contains,
    In,
    Like,
    Matches,
    Operator,
)
from monai_unlearn.cohort.language.logic import And, Not, Or
from monai_unlearn.cohort.language.term import statistics_of
from monai_unlearn.cohort.query.query import run_query
from monai_unlearn.cohort.resolve.listed_values import names_somebody
from monai_unlearn.cohort.spec.document import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monai_unlearn.cohort.language.predicate import Predicate
    from monai_unlearn.cohort.query.answers import Mask
    from monai_unlearn.cohort.query.statement import Question
    from monai_unlearn.cohort.spec.spec import CohortSpec
    from monai_unlearn.index import Index

    _List = In | Comparison | Like


def kept_although_listed(spec: CohortSpec, index: Index, question: Question, forget: Mask) -> int:
    """Return how many images of listed people are not forgotten, where consent is withdrawn; 0 for other reasons.

    Negated lists do not count, nor do images that contradict their copies.

    Args:
        spec: The spec.
        index: The index.
        question: What the spec asks of the index.
        forget: The images to forget, shape (rows,).

    Raises:
        IndexReadError: The index cannot be read.
    """
    listing = [node for node, negated in _lists_of_people(spec, index, question) if not negated]
    if not listing:
        return 0
    answers = run_query(index, replace(question, population=None, rules=tuple(listing), strata=()))
    listed = np.logical_or.reduce([rule.true for rule in answers.rules])
    return int((answers.readable & listed & ~forget).sum())


def negated_lists(spec: CohortSpec, index: Index, question: Question) -> list[str]:
    """Return the conditions that forget others than those they list, where consent is withdrawn, without their values.

    Args:
        spec: The spec.
        index: The index.
        question: What the spec asks of the index.
    """
    found = (node.render(private=True) for node, negated in _lists_of_people(spec, index, question) if negated)
    return list(dict.fromkeys(found))


def parts_of_identifiers(spec: CohortSpec, index: Index, question: Question) -> list[str]:
    """Return the conditions that name people by a part or a range of identifiers, where consent is withdrawn.

    Nobody can tell of these whether everybody who is meant occurs in the index, as of a list.

    Args:
        spec: The spec.
        index: The index.
        question: What the spec asks of the index.
    """
    if spec.reason is not Reason.CONSENT_WITHDRAWAL:
        return []
    found = (
        node.render(private=True)
        for node in spec.forget.walk()
        if isinstance(node, Condition) and _is_part(node) and names_somebody(node.term, index, question.bound)
    )
    return list(dict.fromkeys(found))


def _is_part(node: Condition) -> bool:
    is_range = isinstance(node, Comparison) and node.operator.orders
    return (is_range or isinstance(node, Contains | Matches | Between)) and not statistics_of([node])


def _lists_of_people(spec: CohortSpec, index: Index, question: Question) -> Iterator[tuple[_List, bool]]:
    """Yield the conditions that list people, as if they were not negated, and whether they are."""
    if spec.reason is Reason.CONSENT_WITHDRAWAL:
        for node, negated in _lists(spec.forget, negated=False):
            if names_somebody(node.term, index, question.bound) and not statistics_of([node]):
                yield node, negated


def _lists(node: Predicate, *, negated: bool) -> Iterator[tuple[_List, bool]]:
    if isinstance(node, Not):
        yield from _lists(node.operand, negated=not negated)
    elif isinstance(node, And | Or):
        for operand in node.operands:
            yield from _lists(operand, negated=negated)
    elif isinstance(node, Comparison) and node.operator is Operator.UNEQUAL:
        yield replace(node, operator=Operator.EQUAL), not negated
    elif isinstance(node, In | Like) or (isinstance(node, Comparison) and not node.operator.orders):
        yield node, negated
