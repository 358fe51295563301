"""Figures of several labels, each compared with scikit-learn's, and with those of the label alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from labels_example import COUNT, LABELS, data, frame, logits, predictions, table, table_of, truth
from scipy.special import expit
from sklearn.metrics import brier_score_loss, log_loss, recall_score, roc_auc_score

from monai_unlearn.engine.predicted import _by_label
from monai_unlearn.errors import DataError
from monai_unlearn.evaluation import PredictionTable, compare
from monai_unlearn.evaluation.decision import Decision, decide
from monai_unlearn.evaluation.intervals import wilson
from monai_unlearn.evaluation.label_states import absent_states, note, states
from monai_unlearn.evaluation.metrics import registered
from monai_unlearn.evaluation.table import metrics_table

NAMES = ("no edema", "edema", "no mass", "mass")


@pytest.fixture(scope="module")
def measured():
    return metrics_table({("remain", "test"): predictions(0)}, NAMES)["remain"]["test"]


def test_states_come_in_pairs():
    assert states(LABELS) == NAMES
    assert absent_states(LABELS) == ("no edema", "no mass")
    assert states(()) == ()
    assert note(()) == []
    assert "'no edema'" in note(LABELS)[0]


@pytest.mark.parametrize(("label", "name"), list(enumerate(LABELS)))
def test_the_accuracies_of_the_states_are_sensitivity_and_specificity(measured, label, name):
    said, true = logits(0)[:, label] > 0, truth()[:, label]
    assert measured["classes"][name]["accuracy"] == pytest.approx(recall_score(true, said))
    assert measured["classes"][f"no {name}"]["accuracy"] == pytest.approx(recall_score(~true, ~said))
    assert measured["classes"][name]["n"] == true.sum()


def test_figures_over_all_labels_are_means_over_labels(measured):
    z, true = logits(0).astype(float), truth()
    assert measured["n"] == 2 * COUNT
    assert measured["accuracy"] == pytest.approx(((z > 0) == true).mean())
    areas = [roc_auc_score(true[:, k], z[:, k]) for k in (0, 1)]
    assert measured["auroc"]["value"] == pytest.approx(np.mean(areas))
    losses = [log_loss(true[:, k], expit(z[:, k])) for k in (0, 1)]
    assert measured["log_loss"]["value"] == pytest.approx(np.mean(losses), rel=1e-5)
    scores = [2 * brier_score_loss(true[:, k], expit(z[:, k])) for k in (0, 1)]
    assert measured["brier_score"]["value"] == pytest.approx(np.mean(scores), rel=1e-5)
    said = (z > 0)[true]
    assert measured["sensitivity"]["value"] == pytest.approx(said.mean())


def test_intervals_take_the_decisions_on_an_image_as_one(measured):
    correct = int(((logits(0) > 0) == truth()).sum())
    assert measured["interval"] == pytest.approx(wilson(round(correct / 2), COUNT))
    n = measured["classes"]["mass"]["n"]
    assert measured["classes"]["mass"]["interval"] == pytest.approx(wilson(measured["classes"]["mass"]["correct"], n))


@pytest.mark.parametrize("name", ["auroc", "log_loss", "balanced_accuracy", "accuracy"])
def test_the_same_label_twice_is_known_no_better_than_once(name):
    """Two labels that always agree say no more than one of them."""
    one, both = (repeated(count) for count in (1, 2))
    metric = registered()[name]
    twice, once = metric.measure(both), metric.measure(one)
    assert twice["value"] == pytest.approx(once["value"])
    width, expected = (np.ptp(found["interval"]) for found in (twice, once))
    assert expected * 0.98 <= width <= expected * 1.5
    change = metric.measure_difference(both, both)
    assert change["value"] == 0


def repeated(count):
    from monai_unlearn.evaluation.predictions import Predictions, decisions

    z = torch.from_numpy(logits(0)[:, :1]).repeat(1, count)
    sets = torch.stack([(z * torch.tensor([n >> k & 1 for k in range(count)])).sum(1) for n in range(2**count)], dim=1)
    number = torch.from_numpy(truth()[:, 0].astype(int)) * (2**count - 1)
    found, true = decisions(sets, number, count=count)
    return Predictions(logits=found, labels=true, images=torch.arange(len(true)) // count)


def test_an_image_counts_once_among_those_that_changed():
    before, after = predictions(0), predictions(1)
    found = compare({("remain", "test"): before}, {("remain", "test"): after})["remain"]["test"]
    right = [((logits(seed) > 0) == truth()).sum(1) for seed in (0, 1)]
    assert found["lost"] == (right[1] < right[0]).sum()
    assert found["gained"] == (right[1] > right[0]).sum()


def test_a_row_for_each_label_of_each_image():
    found = _by_label(frame(), data())
    assert found.equals(table().frame)


def test_a_table_keeps_that_it_is_of_several_labels(tmp_path):
    table().write(tmp_path / "p.parquet")
    read = PredictionTable.read(tmp_path / "p.parquet")
    assert read.multilabel
    assert not table_of(0).multilabel
    np.testing.assert_array_equal(read.logits["revised"], table().logits["revised"])
    np.testing.assert_allclose(read.probabilities("revised")[1::2, 3], expit(logits(1)[:, 1].astype(float)))


def test_two_rows_of_an_image_and_label_are_refused():
    one = table()
    twice = one.frame.assign(image_id="i0")
    with pytest.raises(DataError, match="expected one row per image and label"):
        PredictionTable(
            frame=twice, class_names=one.class_names, networks=one.networks, logits=one.logits, multilabel=True
        )
    with pytest.raises(DataError, match="expected one row per image, "):
        PredictionTable(frame=one.frame, class_names=one.class_names, networks=one.networks, logits=one.logits)


ENDPOINTS = [
    {"subset": subset, "measure": measure}
    for subset in ("forget_train", "remain_test")
    for measure in ("mean_probability", "sensitivity")
]


def comparisons(predicted, names):
    healthy = [name for name in names if name.startswith("no ")]
    section = {"healthy_classes": healthy, "min_patients": 2, "endpoints": ENDPOINTS}
    return decide(Decision.from_config(section, class_names=names), predicted).to_metrics()["decision"]["endpoints"]


def test_each_label_is_judged_as_if_it_were_alone():
    """Endpoint by endpoint, guards against false negatives among them; Holm's correction is over all labels."""
    keys = ("subset", "class", "measure", "revised", "target", "interval", "s_R", "G", "images", "margin", "guard")
    together = [{key: row[key] for key in keys} for row in comparisons(table(), NAMES)]
    alone = [
        {key: row[key] for key in keys}
        for label in (0, 1)
        for row in comparisons(table_of(label), NAMES[2 * label :][:2])
    ]
    order = [(row["subset"], row["class"], row["measure"]) for row in alone]
    assert len(set(order)) == len(order)
    assert {(row["subset"], row["class"], row["measure"]) for row in together} == set(order)
    assert any(row["measure"] == "false_negatives" for row in together)
    by_name = {(row["subset"], row["class"], row["measure"]): row for row in together}
    for name, row in zip(order, alone, strict=True):
        found = by_name[name]
        for key in ("revised", "target", "s_R", "margin", "G", "images"):
            assert found[key] == pytest.approx(row[key]), (name, key)
        assert found["interval"] == pytest.approx(row["interval"])
