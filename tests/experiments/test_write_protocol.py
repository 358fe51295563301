from __future__ import annotations

import hashlib

import pytest
from played_rehearsal import CLASSES, PlayedRehearsal

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.draw import given_cohort
from monai_unlearn.experiments.rehearsal_runs import RehearsalRuns
from monai_unlearn.experiments.write_protocol import Rehearsed, protocol_of
from monai_unlearn.index import Index

SETTINGS = {"method::depth": "head", "training::rate_factor": 2.0}


@pytest.fixture
def played(tmp_path, monkeypatch):
    return PlayedRehearsal(tmp_path, monkeypatch)


def rehearsed(played, devices):
    index = Index.open(played.index)
    runs = RehearsalRuns(
        config=played.config, index=played.index, index_digest=index.digest, fixed={}, seeds=3, out=played.out
    )
    cohorts = [given_cohort(played.spec_of(device), index) for device in devices]
    return [Rehearsed(cohort=one, run=runs.finish(one, "reset", SETTINGS)) for one in cohorts]


def written(played, counted, tuned=(), fixed=()):
    return protocol_of("reset", SETTINGS, counted=counted, tuned=tuned, fixed=fixed)


def test_a_protocol_says_what_was_run_and_on_what(played):
    counted, tuned = rehearsed(played, "BCD"), rehearsed(played, "A")
    found = written(
        played, counted, tuned, fixed=["image_size", "device", "decision::min_patients", "budget", "checkpoint"]
    )
    assert found.method == {"name": "reset", "depth": "head"}
    assert found.settings == {"image_size": [16, 16], "training::rate_factor": 2.0}
    # The played config has no other section that the protocol does not say.
    assert set(found.config) == {"training_recipe"}
    assert (found.budget, found.bundle.name) == (0.1, "Played classifier")
    assert found.decision["healthy_classes"] == []
    assert {one["min_patients"] for one in found.decision["endpoints"]} == {20}
    assert found.qualified_for.reasons == ("device_deprecation",)
    assert found.qualified_for.classes == CLASSES
    # A tenth beyond what was rehearsed, 800 patients in half of the images.
    assert (found.qualified_for.patients.min, found.qualified_for.patients.max) == (727, 881)
    assert (found.qualified_for.share.min, found.qualified_for.share.max) == (0.5 / 1.1, 0.55)
    assert (found.rehearsal.cohorts, found.rehearsal.equivalent, found.rehearsal.tuned) == (3, 3, 1)
    assert [one.cohort for one in found.rehearsal.evidence] == ["b", "c", "d"]
    metrics = hashlib.sha256(counted[0].run.metrics.read_bytes()).hexdigest()
    assert found.rehearsal.evidence[0].metrics == f"sha256:{metrics}"
    assert found.rehearsal.line.startswith("3 of 3 rehearsal cohorts equivalent, 95 % upper bound of failure 63 %")


def test_ranges_are_those_of_the_equivalent_runs(played):
    counted = rehearsed(played, "BC")
    played.reads = lambda _: 0.3
    counted += rehearsed(played, "D")
    found = written(played, counted)
    assert (found.rehearsal.cohorts, found.rehearsal.equivalent) == (3, 2)
    whats = [("mean_probability", None), ("classified", "other"), ("moved", None), ("movement", None)]
    assert [one.place for one in found.rehearsal.ranges] == [
        (subset, label, what, predicted and next(name for name in CLASSES if name != label))
        for subset in ("forget_train", "forget_test")
        for label in CLASSES
        for what, predicted in whats
    ]
    moves = [one.moved() for one in counted]
    for one in found.rehearsal.ranges:
        limits = [changes[one.place] for changes, _ in moves[:2]]
        assert (one.low, one.high) == (min(low for low, _ in limits), max(high for _, high in limits))
        assert all(low < high for low, high in limits)
        third = moves[2][0][one.place]
        assert third[1] < one.low if one.what == "mean_probability" else third[0] > one.low
    assert found.rehearsal.least_moved == min(distance for _, distance in moves[:2])


def test_without_an_equivalent_run_nothing_is_far_enough(played):
    played.reads = lambda _: 0.3
    found = written(played, rehearsed(played, "BC"))
    assert (found.rehearsal.least_moved, found.rehearsal.bound, found.rehearsal.ranges) == (1.0, 1.0, ())


def test_a_bundle_without_a_budget_is_named(played, monkeypatch):
    counted = rehearsed(played, "B")
    monkeypatch.setattr(Rehearsed, "config", lambda _: {})
    with pytest.raises(ConfigError, match="has no id 'budget', which a protocol says"):
        written(played, counted)
