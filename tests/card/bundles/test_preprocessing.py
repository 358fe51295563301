from __future__ import annotations

import pytest
from two_bundles import INFERENCE

from monai_unlearn.card.bundles.preprocessing import preprocessing_of


def test_what_preprocessing_refers_to_belongs_to_it():
    assert set(preprocessing_of(INFERENCE)) == {"preprocessing", "loader", "size"}


def test_a_section_below_others_is_found_by_its_path():
    found = preprocessing_of({"train": {"preprocessing": ["@train::size#0"], "size": [8, 9]}, "size": 3})
    assert found == {"train::preprocessing": ["@train::size#0"], "train::size::0": 8}


def test_an_overlay_names_preprocessing_by_its_whole_id():
    assert set(preprocessing_of({"validate#preprocessing#transforms#0": 1, "validate#epochs": 2})) == {
        "validate#preprocessing#transforms#0"
    }


@pytest.mark.parametrize("config", [None, [], "text", {"epochs": 3}, {"preprocessing": "@preprocessing"}])
def test_without_preprocessing_there_is_little(config):
    assert set(preprocessing_of(config)) <= {"preprocessing"}


def test_references_to_nothing_are_left():
    assert preprocessing_of({"preprocessing": ["@nowhere", "@list#9"], "list": [1]}) == {
        "preprocessing": ["@nowhere", "@list#9"]
    }
