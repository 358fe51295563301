from __future__ import annotations

from pathlib import Path

import pytest
import torch
from bundle_run import BUNDLE
from monai.networks.nets import resnet18
from torch import nn

from monai_unlearn.data import open_data, subset_datasets
from monai_unlearn.engine.checkpoint import Checkpoints
from monai_unlearn.engine.proxy_workshop import ProxyWorkshop, Shifted, changed_definition, parameters_of, weights
from monai_unlearn.engine.recipe import training_config
from monai_unlearn.engine.reference import Retraining
from monai_unlearn.engine.training_record import record_of
from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation.predictors.half_width import halved
from monai_unlearn.release import load_weights

OVERRIDES = {"class_names": ["up", "down"], "image_size": [16, 16]}


def retraining(tiny, **overrides):
    return Retraining(
        configs=["train.yaml"],
        bundle_root=str(BUNDLE),
        index_dir=str(tiny.index),
        cohort_spec=str(tiny.spec),
        device="cpu",
        overrides={**OVERRIDES, **overrides},
    )


@pytest.fixture
def workshop(tiny, tmp_path):
    given = retraining(tiny)
    parser = training_config(given.configs, given.bundle_root, given.overrides)
    data = open_data(
        index_dir=tiny.index,
        cohort_spec=tiny.spec,
        class_names=OVERRIDES["class_names"],
        split=parser.get_parsed_content("split"),
    )
    network = load_weights(parser.get_parsed_content("network_def"), tiny.checkpoint)
    return ProxyWorkshop(
        original=network.eval(),
        data=data,
        remain=subset_datasets(data=data, transform=parser.get_parsed_content("preprocessing"))["remain", "train"],
        retraining=given,
        checkpoint=Path(tiny.checkpoint),
        record=record_of(Path(tiny.checkpoint)),
        checkpoints=Checkpoints(tmp_path / "checkpoints", {}),
        device=torch.device("cpu"),
        first_seed=1,
    )


def logits(workshop, network):
    images = torch.stack([torch.as_tensor(workshop.remain[i]["image"]) for i in range(4)])
    with torch.no_grad():
        return network.eval()(images)


def test_logits_are_moved(workshop):
    proxy = workshop.shifted("shifted_odds", {"down": -0.5})
    expected = logits(workshop, workshop.original) + torch.tensor([0.0, -0.5])
    assert torch.equal(logits(workshop, proxy.network), expected)
    assert (proxy.name, proxy.predictor, proxy.seed, proxy.gradient_evaluations) == (
        "shifted_odds",
        "shifted_odds",
        None,
        0.0,
    )
    assert isinstance(proxy.network, Shifted)


def test_narrower_networks_are_trained_without_the_cohort(workshop):
    proxies = workshop.trained("half_width", halved, seeds=2)
    assert [(one.name, one.seed) for one in proxies] == [("half_width-1", 1), ("half_width-2", 2)]
    share = weights(proxies[0].network) / weights(workshop.original)
    assert 0.2 < share < 0.3
    assert not torch.equal(*(logits(workshop, one.network) for one in proxies))
    remain = len(workshop.remain)
    record = record_of(workshop.checkpoints.latest("proxy-half_width-1") / "model.pt")
    assert (record["parts"], record["images"]) == (["remain"], remain)
    # As often as the original, for a third of the arithmetic of an image.
    assert record["gradient_evaluations"] == 3 * remain
    assert 0.15 < proxies[0].gradient_evaluations / (3 * remain) < 0.5


def test_a_killed_run_does_not_train_them_again(workshop, monkeypatch):
    first = workshop.trained("half_width", halved, seeds=1)
    monkeypatch.setattr(Retraining, "run", lambda *_, **__: pytest.fail("trained again"))
    again = workshop.trained("half_width", halved, seeds=1)
    assert torch.equal(logits(workshop, first[0].network), logits(workshop, again[0].network))


def test_without_a_recipe_nothing_can_be_trained_in_the_same_way(workshop):
    workshop.record = {}
    with pytest.raises(ConfigError, match="by which recipe the weights were trained"):
        workshop.trained("half_width", halved, seeds=1)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda given, _: dict(given), "100 % of its weights are left"),
        (lambda given, _: {**given, "block_inplanes": [1]}, "could not halve the widths of network_def, ResNet"),
        (lambda given, _: {**given, "block_inplanes": [1] * 4, "num_classes": 7}, "could not halve"),
    ],
)
def test_a_network_that_did_not_become_narrower_is_refused(workshop, change, why):
    with pytest.raises(ConfigError, match=why):
        workshop.trained("half_width", change, seeds=1)


def test_the_last_blocks_are_retrained(workshop):
    proxies = workshop.tuned("last_blocks", blocks=2, seeds=3)
    assert [(one.name, one.seed) for one in proxies] == [(f"last_blocks-{seed}", seed) for seed in (1, 2, 3)]
    before = workshop.original.state_dict()
    for proxy in proxies:
        after = proxy.network.state_dict()
        moved = {name.partition(".")[0] for name in before if not torch.equal(before[name], after[name])}
        assert moved == {"layer3", "layer4", "fc"}
    assert not torch.equal(logits(workshop, proxies[0].network), logits(workshop, proxies[1].network))


def test_a_step_of_a_tail_costs_its_share(workshop):
    (proxy,) = workshop.tuned("last_blocks", blocks=2, seeds=1)
    images = min(len(workshop.remain), 60 * 16)
    # 60 steps of at most 16 images, each for the tail's share of the arithmetic; the rest once, as forward passes.
    whole = 60 * min(16, len(workshop.remain))
    assert 0.2 * whole < proxy.gradient_evaluations < 0.8 * whole + images / 3


def test_the_budget_is_a_share_of_retraining(workshop):
    workshop.record = {"gradient_evaluations": 2_000_000, "images": 2 * len(workshop.remain)}
    assert workshop._steps(0.5, 16) == int(0.05 * 1_000_000 / (0.5 * 16))
    workshop.record = {}
    assert workshop._steps(0.5, 16) == 60


def test_widths_are_those_of_the_training_config(tiny):
    seen = []

    def note(given, parameters):
        seen.append((given, parameters))
        return halved(given, parameters)

    changed = changed_definition(retraining(tiny), note)
    assert changed["block_inplanes"] == [8, 16, 32, 64]
    assert changed["num_classes"] == "$len(@class_names)"  # as it stands, so that training resolves it
    assert seen[0][1]["widen_factor"] == 1.0


def test_widths_may_be_expressions(tiny):
    given = retraining(tiny, **{"network_def::block_inplanes": "$[16 * 2 ** i for i in range(4)]"})
    assert changed_definition(given, halved)["block_inplanes"] == [8, 16, 32, 64]


@pytest.mark.parametrize("network_def", ["$torch.nn.Identity()", {"layers": 3}])
def test_a_network_that_no_component_builds_is_refused(tiny, network_def):
    with pytest.raises(ConfigError, match="expected network_def in train.yaml as a component with a _target_"):
        changed_definition(retraining(tiny, network_def=network_def), halved)


def test_a_function_that_passes_its_arguments_on_may_take_a_factor():
    found = parameters_of({"_target_": "monai.networks.nets.resnet18"})
    assert found["widen_factor"] == 1.0
    assert "widen_factor" not in parameters_of({"_target_": "torch.nn.Linear"})
    assert parameters_of({"_target_": resnet18})["pretrained"] is False
    assert parameters_of({"_target_": "DenseNet"})["growth_rate"] == 32


def test_weights_are_counted():
    assert weights(nn.Linear(3, 2)) == 8
