from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from bundle_run import BUNDLE
from torch import nn
from torch.nn.functional import cross_entropy

from monai_unlearn.engine import TrainingSteps
from monai_unlearn.engine.recipe import plain_config, recipe_of, training_config
from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import PSG, Reset, ShrinkPerturb

LABELS = [0, 0, 0, 1]
DATA = SimpleNamespace(
    items=lambda parts, _split: [{"label": label} for label in (LABELS if parts == ["remain"] else [0, 1])],
    class_names=("up", "down"),
    names=("up", "down"),
)
IMAGES = [{"image": torch.arange(8.0).view(2, 2, 2), "label": 0}]


def steps(folder, configs=("train.yaml",), recorded=None, rate_factor=1.0, budget=None, **overrides):
    if recorded is not None:
        recipe = recipe_of(plain_config(training_config(["train.yaml"], str(BUNDLE), recorded)))
        (folder / "training.json").write_text(json.dumps({"recipe": recipe}))
    return TrainingSteps(
        configs=list(configs),
        bundle_root=str(BUNDLE),
        checkpoint=str(folder / "model.pt"),
        data=DATA,
        network=nn.Linear(4, 2),
        device="cpu",
        overrides=overrides,
        rate_factor=rate_factor,
        budget=budget,
    )


def test_a_rate_is_a_multiple_of_that_of_training(tmp_path):
    assert steps(tmp_path).learning_rate(Reset()) == 0.002
    assert steps(tmp_path).learning_rate(PSG()) == 0.001
    assert steps(tmp_path, rate_factor=4.0).learning_rate(PSG()) == 0.004
    with pytest.raises(ConfigError, match="expected a rate_factor above 0, got 0"):
        steps(tmp_path, rate_factor=0)


@pytest.mark.parametrize(("budget", "rate"), [(None, 0.001), (0.1, 0.001), (0.2, 0.002), (1, 0.002), ("much", 0.001)])
def test_a_method_may_set_its_rate_by_the_budget(tmp_path, budget, rate):
    made = steps(tmp_path, budget=budget)
    assert made.learning_rate(ShrinkPerturb(rate="auto")) == rate
    assert made.learning_rate(Reset()) == 0.002


def test_what_was_given_at_training_counts(tmp_path):
    assert steps(tmp_path, recorded={"learning_rate": 0.5}).learning_rate(Reset()) == 0.5


def test_a_method_that_asks_gets_the_optimiser_of_training(tmp_path):
    made = steps(tmp_path)
    found = made.optimizer(Reset(), 0.25)
    assert type(found) is torch.optim.AdamW
    (group,) = found.param_groups
    assert (group["lr"], group["weight_decay"]) == (0.25, 0.01)
    assert {id(weight) for weight in group["params"]} == {id(weight) for weight in made.network.parameters()}
    plain = made.optimizer(PSG(), 0.25)
    assert (type(plain), plain.param_groups[0]["lr"]) == (torch.optim.Adam, 0.25)


def test_a_method_that_asks_gets_the_loss_of_training_over_the_remain_images(tmp_path):
    found = steps(tmp_path, class_balance=1.0).loss(Reset())
    # Three and one: weighted by 1/3 and 1, which are 0.5 and 1.5 on average 1.
    torch.testing.assert_close(found.weight, torch.tensor([0.5, 1.5]))
    assert steps(tmp_path).loss(PSG()) is cross_entropy


def test_the_loss_of_a_network_with_one_logit_is_given_that_logit(tmp_path):
    made = replace(steps(tmp_path, **{"train::loss": {"_target_": "torch.nn.BCEWithLogitsLoss"}}), head="sigmoid")
    logits, labels = torch.tensor([[0.0, 1.5], [0.5, -1.0]]), torch.tensor([1, 0])
    torch.testing.assert_close(made.loss(Reset())(logits, labels), cross_entropy(logits, labels))


def test_a_method_that_asks_gets_the_augmentation_of_training(tmp_path):
    found = steps(tmp_path).images(Reset(), IMAGES)
    found.transform.set_random_state(seed=0)
    drawn = {tuple(found[0]["image"].flatten().tolist()) for _ in range(20)}
    assert len(drawn) > 1
    assert {tuple(sorted(image)) for image in drawn} == {tuple(range(8))}
    assert steps(tmp_path).images(PSG(), IMAGES) is IMAGES


def test_a_training_config_without_what_is_asked_for_is_named(tmp_path):
    with pytest.raises(ConfigError, match="as training does, but evaluate.yaml defines no 'learning_rate'"):
        steps(tmp_path, configs=["evaluate.yaml"]).learning_rate(Reset())
