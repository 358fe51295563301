from __future__ import annotations

import pytest
from cohort_index import make_spec

from monai_unlearn.cohort import parse
from monai_unlearn.cohort.language.located import Located
from monai_unlearn.cohort.language.rule_reader import RuleReader
from monai_unlearn.errors import SpecError


@pytest.mark.parametrize(
    ("yaml", "text", "rules"),
    [
        ("a == 1 and b == 2", "a == 1 and b == 2", 2),
        ("[a == 1, b == 2]", "a == 1 and b == 2", 2),
        ("[a == 1 and b == 2, c == 3]", "(a == 1 and b == 2) and c == 3", 2),
        ("[a == 1]", "a == 1", 1),
        ("{all: [a == 1, b == 2]}", "a == 1 and b == 2", 2),
        ("{any: [a == 1, b == 2]}", "a == 1 or b == 2", 1),
        ("{any: [a == 1]}", "a == 1", 1),
        ("{not: a == 1}", "not (a == 1)", 1),
        ("{not: {any: [a == 1, b == 2]}}", "not (a == 1 or b == 2)", 1),
        (
            "{all: [a == 1, b == 2], any: [c == 3, [d == 4, e == 5]], not: f == 6}",
            "a == 1 and b == 2 and (c == 3 or (d == 4 and e == 5)) and not (f == 6)",
            4,
        ),
    ],
)
def test_every_way_of_writing_a_rule_is_one_predicate(yaml, text, rules):
    spec = make_spec(yaml)
    assert str(spec.forget) == text
    assert len(spec.rules) == rules


def test_ways_of_writing_that_mean_the_same_have_one_digest():
    assert make_spec("a == 1 and b == 2").digest == make_spec("{all: [a==1, b  ==  '2']}").digest
    assert make_spec("a == 1 and b == 2").digest != make_spec("a == 1 or b == 2").digest


def test_a_list_under_not_is_refused_because_it_is_ambiguous():
    with pytest.raises(SpecError, match=r"test.yaml:4: 'not': expected one condition, or a mapping .* got a list"):
        make_spec("{not: [a == 1, b == 2]}")


@pytest.mark.parametrize("yaml", ["[]", "{any: []}", "{}", "5", "true", "[a == 1, 5]", "{some: [a == 1]}", "''"])
def test_anything_else_is_refused(yaml):
    with pytest.raises(SpecError, match=r"^test\.yaml:4"):
        make_spec(yaml)


def test_the_nesting_of_yaml_and_of_predicates_is_bounded_together():
    deep = "not (" * 40 + "a == 1" + ")" * 40
    with pytest.raises(SpecError, match="at most 50 nested levels"):
        make_spec("{not: " * 14 + f"'{deep}'" + "}" * 14)


def test_a_rule_with_a_fault_in_one_part_has_no_predicate_and_keeps_what_parses():
    spec = Located.read("forget: [a == 1, b = 2]\npopulation: c == 3\n", "test.yaml")
    reader = RuleReader(spec)
    assert reader.read(("forget",), spec.content["forget"]) is None
    assert reader.read(("population",), spec.content["population"]) == parse("c == 3")
    assert [fault.line for fault in reader.faults] == [1]
    assert reader.parsed == [parse("a == 1"), parse("c == 3")]
