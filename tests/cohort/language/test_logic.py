from __future__ import annotations

import pytest

from monai_unlearn.cohort.language.condition import Comparison, In, Operator
from monai_unlearn.cohort.language.logic import And, Not, Or, rules_of
from monai_unlearn.cohort.language.node import Value
from monai_unlearn.cohort.language.predicate import Exists, Missing
from monai_unlearn.cohort.language.term import Field

LEAF = Exists(Field("a"))


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (Not(In(Field("a"), (Value("x"), Value("y, z")))), "a not in [x, 'y, z']"),
        (Not(Missing(Field("a"))), "not missing(a)"),
        (Not(Not(LEAF)), "not (not exists(a))"),
        (And((LEAF, Or((LEAF, LEAF)), LEAF)), "exists(a) and (exists(a) or exists(a)) and exists(a)"),
        (And((And((LEAF, LEAF)), LEAF)), "(exists(a) and exists(a)) and exists(a)"),
    ],
)
def test_canonical_text(node, text):
    assert str(node) == text


@pytest.mark.parametrize("join", [And, Or])
def test_one_operand_cannot_be_joined(join):
    with pytest.raises(ValueError, match="at least two predicates"):
        join((LEAF,))


def test_private_text_counts_identifiers_instead_of_naming_them():
    withdrawn = In(Field("patient"), (Value("P17"), Value("P18")))
    node = And((withdrawn, Comparison(Field("PatientID"), Operator.UNEQUAL, Value("P19")), LEAF))
    assert node.render(private=True) == "patient in [… 2 values] and PatientID != … and exists(a)"
    assert Not(withdrawn).render(private=True) == "patient not in [… 2 values]"
    assert "P17" in str(node)


def test_rules_are_the_operands_of_an_and_at_the_top():
    other = Missing(Field("b"))
    assert rules_of(And((LEAF, other))) == (LEAF, other)
    assert rules_of(Or((LEAF, other))) == (Or((LEAF, other)),)
