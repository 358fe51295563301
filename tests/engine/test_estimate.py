from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from monai_unlearn.engine.budget import Budget
from monai_unlearn.engine.estimate import TIMED, estimate_of, seconds_a_gradient

COUNTS = {"forget": 40, "remain": 400}


def trainer(*, steps=10, one_shot=False):
    method = SimpleNamespace(
        one_shot=one_shot,
        gradients_to_prepare=lambda forget, remain: forget + remain / 10,
        gradients_a_step=lambda forget, remain: forget + remain,
    )
    loader = SimpleNamespace(batch_sizes={"forget": 4, "remain": 28})
    return SimpleNamespace(method=method, loader=loader, planned_steps=steps)


def found(given=None, **changed):
    settings = {"counts": COUNTS, "planned": None, "retraining": 24_000.0, "retrained": 3, "seconds_a_gradient": 0.01}
    return estimate_of(given or trainer(), **{**settings, **changed})


def test_steps_and_what_they_cost():
    assert found() == {
        "images": COUNTS,
        "steps": 10,
        "gradient_evaluations": {"unlearning": 400, "references": 72_000, "total": 72_400},
        "retraining_gradient_evaluations": 24_000,
        "share_of_retraining": pytest.approx(400 / 24_000),
        "seconds": {"unlearning": 4.0, "references": 720.0, "total": 724.0},
        "networks_to_retrain": 3,
    }


def test_a_budget_is_what_the_run_costs_and_a_method_without_steps_costs_its_preparation():
    planned = Budget(share=0.1, retraining=24_000, preparation=80, fixed=0, step=32)
    shown = found(planned=planned)
    assert shown["gradient_evaluations"]["unlearning"] == 2_400
    assert shown["share_of_retraining"] == pytest.approx(0.1)
    shown = found(trainer(one_shot=True), planned=planned)
    assert (shown["steps"], shown["gradient_evaluations"]["unlearning"]) == (0, 80)


def test_what_retraining_costs_may_be_unknown():
    shown = found(retraining=None)
    assert shown["gradient_evaluations"] == {"unlearning": 400, "references": None, "total": None}
    assert shown["seconds"]["references"] is None
    assert shown["share_of_retraining"] is None
    assert found(retraining=None, retrained=0)["gradient_evaluations"]["total"] == 400


def test_a_gradient_is_timed_and_leaves_the_network_as_it_was():
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2)).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    images = [{"image": torch.rand(1, 2, 2), "label": number % 2} for number in range(20)]
    times = itertools.accumulate([0, 100, 0, 3.2, 0, 1.6])  # the first batch warms up
    timed = seconds_a_gradient(network, images, device=torch.device("cpu"), clock=lambda: next(times))
    assert timed == pytest.approx(1.6 / TIMED)
    assert network.training
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
