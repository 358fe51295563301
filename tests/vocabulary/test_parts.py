from __future__ import annotations

from cohort_index import make_index, make_spec

from monai_unlearn.cohort import SplitRule
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.parts import PARTS, SPLITS


def test_a_cohort_has_these_parts_in_this_order(tmp_path):
    index = make_index(tmp_path, {"device": ["a", "b", None]}, {"device": Kind.TEXT})
    assert tuple(make_spec("device == a").resolve(index).image_ids) == PARTS


def test_a_split_rule_assigns_each_of_these_splits_and_no_other():
    rule = SplitRule(test_fraction=0.3, validation_fraction=0.3)
    assert {rule.of(f"p{number}") for number in range(100)} == set(SPLITS)
