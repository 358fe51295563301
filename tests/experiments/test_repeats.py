from __future__ import annotations

import pytest
from comparison_example import metrics

from monai_unlearn.evaluation.decision import Verdict
from monai_unlearn.experiments import repeats
from monai_unlearn.experiments.comparison_row import finished

WHO = {"cohort": "camera", "method": "reset", "budget": 0.1}


def row(**changed):
    return finished(WHO, metrics(**changed), settings={}, objective=0.2)


def test_measures_and_gaps_are_means_and_each_run_is_kept():
    found = repeats.merged([row(distance=1.0, forget=0.6), row(distance=2.0, forget=0.8)])
    distance = found["distance_ratio"]
    assert (distance["value"], distance["runs"]) == (1.5, [1.0, 2.0])
    assert distance["interval"] == [pytest.approx(0.9), pytest.approx(2.1)]
    assert (distance["original"], distance["retrained"]) == (2.0, [1.0, 1.1])
    assert found["forget_gap"] == pytest.approx(0.7 - 0.55)
    assert (found["objective"], found["share_of_retraining"]) == (0.2, 0.11)
    assert found["runs_of"]["forget_gap"] == [pytest.approx(0.6 - 0.55), pytest.approx(0.8 - 0.55)]
    assert found["runs_of"]["share_of_retraining"] == [0.11, 0.11]


def test_the_verdict_is_never_kinder_than_any_run():
    rows = [row(verdict=name) for name in ("equivalent", "different", "inconclusive")]
    rows[1]["why"] = "a class is lost"
    found = repeats.merged(rows)
    assert (found["verdict"], found["why"]) == ("different", "a class is lost")
    assert found["verdicts"] == ["equivalent", "different", "inconclusive"]


def test_every_verdict_has_its_place():
    assert {Verdict(one) for one in repeats._LEAST_FAVOURABLE} == set(Verdict)
    for verdict in Verdict:
        assert repeats.merged([row(verdict=verdict.value), row(verdict="different")])["verdict"] == "different"


def test_a_measure_that_a_run_lacks_is_the_mean_of_the_others():
    found = repeats.merged([row(distance=None), row(distance=2.0)])
    assert (found["distance_ratio"]["value"], found["distance_ratio"]["runs"]) == (2.0, [None, 2.0])
    assert repeats.merged([row(), row()])["agreement"] is None  # that audit did not run
    without = row()
    without["distance_ratio"] = None
    assert repeats.merged([without, row(distance=2.0)])["distance_ratio"]["runs"] == [None, 2.0]


def test_recall_by_class_is_the_mean_and_what_does_not_depend_on_the_run_stays():
    one, other = row(), row()
    other["classes"] = {**other["classes"], "up": {**other["classes"]["up"], "revised": 0.5}}
    up = repeats.merged([one, other])["classes"]["up"]
    assert up == {"original": 1.0, "revised": pytest.approx(0.6), "retrained": pytest.approx(0.7)}


def test_a_single_run_is_the_row_itself():
    assert repeats.merged([row()]) == row()
