from __future__ import annotations

import duckdb
import pytest

from monai_unlearn.cohort.query.near_misses import COMMON_FORMS, KINDS, common_forms, cores, folded


def value(expression, *parameters):
    with duckdb.connect(":memory:") as connection:
        connection.execute(COMMON_FORMS)
        return connection.execute(f"SELECT {expression}", list(parameters)).fetchone()[0]


@pytest.mark.parametrize(
    ("kind", "text", "wanted"),
    [
        ("case", "MRN-0077 ", "mrn-0077 "),
        ("case", "e\u0301", "\u00e9"),
        ("spaces", "A\u00a0 1\u20117_x\ufeff", "a17x"),
        ("spaces", "007.0", "007.0"),
        ("spaces", "\uff11\uff12", "\uff11\uff12"),
        ("compatibility", "\uff2d\uff32\uff2e\uff0d\uff11\uff12 ", "mrn12"),
        ("compatibility", "\u2462\u00b2\U0001d7d8x\ufb01", "320x\ufb01"),  # a ligature is two letters, and stays
        ("leading_zeros", "\uff10\uff11\uff12", "12"),
        ("decimal", "\uff11\uff12.0", "12"),
        ("leading_zeros", "0012", "12"),
        ("leading_zeros", "MRN-0077.00", "mrn77.0"),
        ("leading_zeros", "1005", "1005"),
        ("leading_zeros", "12.0", "12.0"),
        ("decimal", "0012.00", "12"),
        ("decimal", "12,0", "12"),
        ("decimal", "0", "0"),
        ("decimal", "1.2346E+04", "12346"),
        ("decimal", "1e5", "100000"),
        ("decimal", "12e5", "12e5"),
        ("decimal", "9E+99", "9e+99"),
    ],
)
def test_each_kind_folds_what_the_kinds_before_it_fold(kind, text, wanted):
    assert value(folded("?", kind), text) == wanted


@pytest.mark.parametrize(
    ("text", "some"),
    [
        ("mrn-77", {"77"}),
        ("77-kn", {"77"}),
        ("p77x", {"77", "77x", "p77"}),
        ("site1-77", {"77"}),
        ("77/2", {"77"}),
        ("dr-smith", {"smith"}),
        ("KH:0077:a", {"77"}),
        ("KH 0077", {"77"}),
        ("\uff2b\uff28 \uff17\uff17", {"77"}),
    ],
)
def test_a_core_is_what_a_prefix_or_suffix_leaves(text, some):
    found = value(f"LIST_TRANSFORM([{common_forms('?')}], lambda common: {cores('common')})[1]", text)
    assert some <= set(found)


def test_letters_alone_are_no_core_unless_there_are_some():
    assert value(cores("$1"), "a-b") == []


def test_the_last_kind_is_the_loosest():
    assert KINDS[-1] == "affix"
