from __future__ import annotations

import pytest
from played_rehearsal import PlayedRehearsal

from monai_unlearn.cohort import SplitRule
from monai_unlearn.experiments.draw import given_cohort
from monai_unlearn.experiments.few_patients import few_patients
from monai_unlearn.index import Index

SPLIT = {"seed": 0, "test_fraction": 0.2, "validation_fraction": 0.2}


@pytest.fixture
def played(tmp_path, monkeypatch):
    return PlayedRehearsal(tmp_path, monkeypatch)


@pytest.fixture
def found(played):
    def of(decision, **fixed):
        text = f"split: {SPLIT}\ndecision: {decision}\n"
        played.config.write_text(text, encoding="utf-8")
        index = Index.open(played.index)
        return few_patients(given_cohort(played.spec, index), index, config=played.config, fixed=fixed)

    return of


def test_classes_with_too_few_test_patients_are_counted(found, played):
    frame = CohortOf(played).forget
    tested = frame[SplitRule(**SPLIT).assign(frame) == "test"]
    patients = {name: len({*tested.loc[tested["diagnosis"] == name, "patient"]}) for name in ("up", "down")}
    few = found("{min_patients: 30}")
    assert few["forget_test"] == dict(sorted(patients.items()))
    assert 0 < min(patients.values()) <= max(patients.values()) < 30
    assert "remain_test" not in few or max(few["remain_test"].values()) < 30


def test_enough_patients_are_nothing_to_say(found):
    assert found("{min_patients: 30}", **{"decision::min_patients": "1"}) == {}


@pytest.mark.parametrize("decision", ["$other.decision", "{endpoints: $listed}"])
def test_what_only_a_run_can_evaluate_is_left_to_it(found, decision):
    assert found(decision) == {}


def CohortOf(played):  # noqa: N802 - reads as the class whose object it returns
    index = Index.open(played.index)
    return given_cohort(played.spec, index).spec.resolve(index)
