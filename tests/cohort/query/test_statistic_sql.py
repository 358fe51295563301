"""What each statistic means is in tests/spec/test_statistics.py; these tests add statistics of their own."""

from __future__ import annotations

import numpy as np
import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort import parse
from monai_unlearn.cohort.language.english import sentence
from monai_unlearn.cohort.language.functions import FUNCTIONS, Statistic, register
from monai_unlearn.vocabulary.fields import Kind


@pytest.fixture
def add():
    """Register statistics for the length of one test."""
    added = []

    def register_for_now(**entry):
        statistic = Statistic(words="it of {all}", meaning="for a test", **entry)
        register(statistic)
        added.append(statistic.name)

    yield register_for_now
    for name in added:
        del FUNCTIONS[name]


@pytest.fixture
def index(tmp_path):
    columns = {"vpf": [1.0, 2.0, 2.0, 4.0, None, 9.0], "device": ["a", "a", "b", "b", "b", None]}
    return make_index(tmp_path, columns, {"vpf": Kind.NUMBER, "device": Kind.TEXT})


def _parts(index, rule):
    images = make_spec(rule).resolve(index).image_ids
    return {part: [int(name[1:]) for name in images[part]] for part in ("forget", "remain", "undetermined")}


def test_a_new_statistic_of_sql_aggregates_is_one_entry(add, index):
    add(name="above_mean", aggregates=("AVG(x)",), value="{x} - {a0}")
    assert sentence(parse("above_mean(vpf) > 0")).text == "it of vpf among images of the cohort is more than 0"
    assert _parts(index, "above_mean(vpf) > 0") == {"forget": [3, 5], "remain": [0, 1, 2], "undetermined": [4]}
    assert _parts(index, "above_mean(vpf) by (device) > 0") == {
        "forget": [1, 3],
        "remain": [0, 2],
        "undetermined": [4, 5],
    }


def test_a_new_statistic_of_a_window_over_values_is_one_entry(add, index):
    add(name="ties", per_value=True, aggregates=("COUNT(*) + 0 * SUM(COUNT(*)) OVER cohort",))
    assert _parts(index, "ties(vpf) == 2") == {"forget": [1, 2], "remain": [0, 3, 5], "undetermined": [4]}


def test_a_new_statistic_that_python_computes_is_one_entry(add, index):
    def distances(rows, counts):
        return np.abs(rows[:, 0] - np.average(rows[:, 0], weights=counts))

    add(name="distance", most=None, scores=distances)
    assert _parts(index, "distance(vpf) > 2.5") == {"forget": [0, 5], "remain": [1, 2, 3], "undetermined": [4]}
    assert _parts(index, "distance(vpf) > 2.8") == {"forget": [5], "remain": [0, 1, 2, 3], "undetermined": [4]}


def test_a_result_that_is_not_finite_is_unknown(add, index):
    add(name="inverse", aggregates=("AVG(x)",), value="1 / ({x} - 2)")
    assert _parts(index, "inverse(vpf) > 0.2") == {"forget": [3], "remain": [0, 5], "undetermined": [1, 2, 4]}


def test_several_statistics_in_one_query_do_not_interfere(index):
    rule = "percentile_rank(vpf) > 50 and zscore(vpf) by (device) > 0 and isolation_forest(vpf) > 0"
    assert _parts(index, rule)["forget"] == [1, 3]
