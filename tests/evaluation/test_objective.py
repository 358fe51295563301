from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from decision_example import binary, table

from monai_unlearn.errors import DataError
from monai_unlearn.evaluation.objective import erasure, objective
from monai_unlearn.evaluation.prediction_table import PredictionTable

SUBSETS = ("forget_validation", "remain_validation", "forget_test", "remain_test")


def made(revised, *, patients=300, reference=(0.6, 0.7), remain=(0.9, 0.9)):
    """Two retrained networks that classify so many validation images correctly, and a revised one."""
    remains = {name: binary(*remain) for name in SUBSETS if name.startswith("remain")}
    forget = [name for name in SUBSETS if name.startswith("forget")]
    shares = {
        "original": {**remains, **{name: binary(0.95, 0.95) for name in forget}},
        "revised": {**remains, **{name: binary(*revised) for name in forget}},
        **{f"reference-{i}": {**remains, **{name: binary(*reference) for name in forget}} for i in range(2)},
    }
    return table(shares, patients={name: {"healthy": patients, "sick": patients} for name in SUBSETS}, stable=0.99)


def independently(found: PredictionTable) -> float:
    frame = found.frame.copy()
    rows = (frame["part"] == "forget") & (frame["split"] == "validation")
    gaps = []
    for label in found.class_names:
        chosen = (rows & (frame["label"] == label)).to_numpy()
        target = np.mean([found.probabilities(name)[chosen].mean(0) for name in ("reference-0", "reference-1")], axis=0)
        gaps.append(0.5 * np.abs(found.probabilities("revised")[chosen].mean(0) - target).sum())
    remain = ((frame["part"] == "remain") & (frame["split"] == "validation")).to_numpy()
    true = pd.get_dummies(frame["label"])[list(found.class_names)].to_numpy()
    losses = -np.log((found.probabilities("revised") * true).sum(1))[remain]
    return float(np.mean(gaps) + losses.mean())


@pytest.mark.parametrize("revised", [(0.6, 0.7), (0.7, 0.6), (0.95, 0.95)])
def test_it_is_the_distance_of_class_rows_and_the_loss(revised):
    found = made(revised)
    assert objective(found) == pytest.approx(independently(found))


def test_a_network_as_retrained_is_best_and_accuracy_alone_does_not_hide_a_swap():
    values = [objective(made(revised)) for revised in ((0.6, 0.7), (0.65, 0.65), (0.7, 0.6), (0.95, 0.95))]
    assert values == sorted(values)
    assert values[0] < values[1]


def test_a_loss_on_remain_counts():
    assert objective(made((0.6, 0.7), remain=(0.8, 0.9))) > objective(made((0.6, 0.7)))


def test_without_retrained_networks_there_is_no_distance():
    found = made((0.6, 0.7))
    for number in range(2):
        found.logits[f"reference-{number}"][:] = found.logits["original"]
    with pytest.raises(DataError, match="no retrained network counts"):
        objective(found)


def test_outputs_that_are_not_finite_are_infinitely_bad():
    found = made((0.6, 0.7))
    found.logits["revised"][:] = np.nan
    assert objective(found) == float("inf")


@pytest.mark.parametrize("part", ["forget", "remain"])
def test_nothing_is_chosen_without_validation_images(part):
    found = made((0.6, 0.7))
    rows = ~((found.frame["part"] == part) & (found.frame["split"] == "validation"))
    kept = PredictionTable(
        frame=found.frame[rows],
        class_names=found.class_names,
        networks=found.networks,
        logits={name: values[rows.to_numpy()] for name, values in found.logits.items()},
    )
    with pytest.raises(DataError, match=f"the {part} part has no validation image"):
        objective(kept)


@pytest.mark.parametrize("revised", [(0.1, 0.0), (0.6, 0.7), (0.95, 0.95)])
def test_erasure_is_the_probability_of_the_true_class_and_the_loss(revised):
    found = made(revised)
    frame = found.frame
    true = pd.get_dummies(frame["label"])[list(found.class_names)].to_numpy()
    own = (found.probabilities("revised") * true).sum(1)
    forget, remain = (
        ((frame["part"] == part) & (frame["split"] == "validation")).to_numpy() for part in ("forget", "remain")
    )
    # Both classes have as many images.
    assert erasure(found) == pytest.approx(own[forget].mean() - np.log(own[remain]).mean())


def test_erasure_needs_no_retrained_network_and_wants_nothing_left():
    values = [erasure(made(revised)) for revised in ((0.0, 0.0), (0.3, 0.3), (0.6, 0.7), (0.95, 0.95))]
    assert values == sorted(values)
    found = made((0.6, 0.7))
    for number in range(2):
        found.logits[f"reference-{number}"][:] = found.logits["original"]
    assert erasure(found) == values[2]
    found.logits["revised"][:] = np.nan
    assert erasure(found) == float("inf")
