from __future__ import annotations

import dataclasses
import logging

import numpy as np
import psg_by_hand as by_hand
import pytest
import torch
from method_bench import SPACE, batch_of, context_of, small_items, small_network
from monai.bundle import ConfigComponent

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import PSG, PUBLISHED, PublishedPSG, info_of


def prepared(method, net=None, data=None, seed=0):
    method.prepare(context_of(small_network() if net is None else net, data or small_items(), seed=seed))
    method.set_mode()
    return method


def step_by_hand(perceptron, pixels, classes, *, proximity_weight, noise):
    """The published step from its equation, float64."""
    gradient = perceptron.pixel_gradient(pixels, classes) / len(pixels)
    inputs = (pixels - perceptron.mean) / perceptron.std
    moved = np.clip(pixels + 0.1 * np.sign(gradient + proximity_weight * (inputs - pixels) + noise), 0, 1)
    return np.round(moved * 255) / 255


@pytest.mark.parametrize(("proximity_weight", "noise"), [(0.0, 0.0), (0.05, 0.0), (0.0, 0.02), (0.01, 0.01)])
def test_a_step_agrees_with_its_equation(proximity_weight, noise):
    perceptron = by_hand.Perceptron.random(5, mean=SPACE.mean, std=SPACE.std)
    pixels = torch.rand(16, *by_hand.SHAPE, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    classes = torch.arange(16) % 5
    seen = []
    net = perceptron.module()
    method = PublishedPSG(proximity_weight=proximity_weight, noise=noise, labels="soft")
    method.prepare(context_of(net, [], seed=4))
    method._frozen.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    found = method.search(SPACE.to_inputs(pixels), classes)
    draw = torch.Generator().manual_seed(4 * 1_000_003)
    z = method.noise.draw(pixels.shape, draw).numpy().reshape(16, -1)
    expected = step_by_hand(
        perceptron, pixels.reshape(16, -1).numpy(), classes.numpy(), proximity_weight=proximity_weight, noise=noise * z
    )
    np.testing.assert_allclose(SPACE.to_pixels(seen[-1]).reshape(16, -1).numpy(), expected, rtol=0, atol=1e-12)
    logits = perceptron.logits((expected - perceptron.mean) / perceptron.std)
    np.testing.assert_allclose(found.numpy(), by_hand.shares(logits), rtol=1e-9)


def test_descends_on_the_clean_images_in_train_mode_on_forget_images_alone():
    data, net = small_items(), small_network()
    method = prepared(PSG(preset="published"), net, data)
    batch, before = batch_of(data, range(6), [9]), net[1].running_mean.clone()
    loss = method.loss(batch)
    targets = prepared(PSG(preset="published"), small_network(), data).search(
        batch["forget"]["image"], batch["forget"]["label"]
    )
    entering = net[0](batch["forget"]["image"])
    torch.testing.assert_close(net[1].running_mean, 0.9 * before + 0.1 * entering.mean((0, 2, 3)))
    torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(net(batch["forget"]["image"]), targets))
    assert method.parts == ("forget",)


def test_searches_at_every_step_on_the_network_as_it_was():
    data, net = small_items(), small_network()
    method = prepared(PSG(preset="published", labels="soft", noise=1e3), net, data)
    forget = batch_of(data, range(6), [9])["forget"]
    first = method.search(forget["image"], forget["label"])
    second = method.search(forget["image"], forget["label"])
    assert not torch.equal(first, second)
    assert method.gradient_evaluations == 12
    assert all(parameter.grad is None for parameter in method._frozen.parameters())
    with torch.no_grad():
        net[5].weight.add_(5.0)
    again = prepared(PSG(preset="published", labels="soft", noise=1e3), small_network(), data)
    torch.testing.assert_close(again.search(forget["image"], forget["label"]), first)


def test_goes_on_with_the_draws_where_it_was_cut_off():
    data = small_items()
    batch = batch_of(data, range(6), [9])["forget"]
    whole = prepared(PublishedPSG(labels="soft", noise=1e3), data=data)
    states = []
    for _ in range(3):
        last = whole.search(batch["image"], batch["label"])
        states.append(whole.state_dict())
    resumed = PublishedPSG(labels="soft", noise=1e3)
    resumed.load_state_dict(states[1])
    prepared(resumed, data=data)
    assert torch.equal(resumed.search(batch["image"], batch["label"]), last)
    assert resumed.gradient_evaluations == 18
    with pytest.raises(ConfigError, match="holds logits where the published loop keeps searched and steps"):
        resumed.load_state_dict({"logits": 1})


def test_remain_weight_and_repair():
    data = small_items()
    method = prepared(PublishedPSG(remain_weight=2.0), data=data)
    assert method.parts == ("forget", "remain")
    batch = batch_of(data, range(3), range(6, 12))
    method.network.eval()
    both = method.loss(batch)
    method.phase = "repair"
    assert method.parts == ("remain",)
    remain = method.loss(batch)
    method.phase, method.remain_weight = "forget", 0.0
    torch.testing.assert_close(both, method.loss(batch) + 2.0 * remain)
    with pytest.raises(ConfigError, match="expected remain_weight >= 0, got -1"):
        PublishedPSG(remain_weight=-1.0)


def test_the_preset_settles_what_it_is_and_says_so(caplog):
    with caplog.at_level(logging.WARNING, "monai_unlearn"):
        method = PSG(preset="published", epsilon=0.03, batch_norm="frozen", proximity_weight=0.1, remain_weight=0.5)
    assert isinstance(method, PublishedPSG)
    assert "settles ['batch_norm', 'epsilon'] itself" in caplog.text
    assert (method.proximity_weight, method.remain_weight, method.batch_norm) == (0.1, 0.5, "published")
    assert info_of(method).name == "psg-published"


def test_a_config_names_the_preset_as_an_option_of_psg():
    config = {"_target_": "monai_unlearn.methods.PSG", "preset": "published", "noise": 0.1}
    assert isinstance(ConfigComponent(config).instantiate(), PublishedPSG)
    assert isinstance(ConfigComponent({**config, "preset": None}).instantiate(), PSG)


def test_the_published_settings_are_on_record():
    assert dataclasses.asdict(PUBLISHED) == {
        "epsilon": 0.1,
        "levels": 255,
        "learning_rate": 1e-5,
        "momentum": 0.9,
        "passes": 10,
        "batch_size": 64,
        "recalibrate": False,
    }
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign"):
        PUBLISHED.passes = 1
