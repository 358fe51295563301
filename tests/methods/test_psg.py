from __future__ import annotations

import json
import logging
from typing import Any

import numpy as np
import psg_by_hand as by_hand
import pytest
import torch
from method_bench import SPACE, batch_of, context_of, small_items, small_network
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import PSG, BoundarySearch, FineTune, Method, TargetRule

# Algorithms 1 and 2 of the paper, without what the defaults add.
PLAIN = {
    "bisection_steps": 0,
    "labels": "hard",
    "unflipped": "keep",
    "remain_weight": 1.0,
    "batch_norm": "frozen",
}


def plain(**options: Any) -> PSG:
    return PSG(**{**PLAIN, **options})


def prepared(method: Method, net: nn.Module | None = None, data: list[dict] | None = None, seed: int = 0) -> Method:
    method.prepare(context_of(small_network() if net is None else net, data or small_items(), seed=seed))
    method.set_mode()
    return method


def test_labels_are_what_the_frozen_network_predicts_at_the_point_found():
    net, data = small_network(), small_items()
    method = prepared(plain(epsilon=0.5, steps=4), net, data)
    batch = batch_of(data, range(20), [0])["forget"]
    net.eval()
    points = method.search.find(net, batch["image"], batch["label"], pixel_space=SPACE)
    found = net(points).argmax(1)
    assert torch.equal(method.targets, found)
    assert method.flipped == int((found != batch["label"]).sum()) > 0
    assert method.gradient_evaluations == 4 * 20
    assert method.finder.precision == "float32"


def test_only_images_that_left_their_class_are_counted_as_flipped():
    net, data = small_network(), small_items()
    method = prepared(plain(epsilon=0.001, search_images=12), net, data, seed=2)
    net.eval()
    images = torch.stack([data[row]["image"] for row in method.used_rows.tolist()])
    predicted = net(images).argmax(1)  # nothing crosses a boundary within so small a radius
    left = sum(int(number) != data[row]["label"] for number, row in zip(predicted, method.used_rows, strict=True))
    assert method.flipped == left
    assert 0 < left < 12


def test_every_option_of_the_search_reaches_it():
    options = {
        "epsilon": 0.2,
        "steps": 3,
        "proximity_weight": 0.5,
        "proximity_schedule": "exponential",
        "proximity_rate": 0.3,
        "noise": 0.4,
        "noise_distribution": "laplace",
        "noise_scale": "relative",
        "bisection_steps": 6,
    }
    method = plain(search_images=7, diagnostics=True, search_precision="float32", **options)
    assert method.search == BoundarySearch(**options)
    assert options.keys() == BoundarySearch.__dataclass_fields__.keys()
    finder = method.finder
    assert (finder.search, finder.limit, finder.float32, finder.diagnostics) == (method.search, 7, True, True)
    assert not plain().finder.float32


def test_every_option_of_the_targets_reaches_their_rule():
    assert plain(labels="soft", logits="raw").rule == TargetRule(labels="soft", logits="raw")
    rule = {"labels": "soft", "top_k": 2, "unflipped": "runner_up"}
    assert plain(**rule).rule == TargetRule(**rule)


def test_without_remain_images_the_running_statistics_stay():
    data, net = small_items(), small_network()
    method = prepared(plain(batch_norm="remain", remain_weight=0.0), net, data)
    before = net[1].running_mean.clone()
    method.loss(batch_of(data, range(4), [9]))
    assert torch.equal(net[1].running_mean, before)


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({}, {"labels": "hard"}),
        ({"labels": "soft"}, {"labels": "soft"}),
        ({"labels": "soft", "top_k": 3}, {"labels": "soft", "top_k": 3}),
        ({"unflipped": "runner_up"}, {"labels": "hard", "runner_up": True}),
    ],
)
def test_the_whole_loss_agrees_with_the_equations(options, rule):
    perceptron = by_hand.Perceptron.random(8, mean=SPACE.mean, std=SPACE.std)
    pixels = torch.rand(12, *by_hand.SHAPE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    data = [
        {"image": SPACE.to_inputs(image[None])[0], "label": row % 5, "row": row} for row, image in enumerate(pixels)
    ]
    method = prepared(
        plain(steps=3, proximity_weight=0.7, proximity_schedule="exponential", remain_weight=0.4, **options),
        perceptron.module(),
        data,
    )
    flat, classes = pixels.reshape(12, -1).numpy(), np.arange(12) % 5
    found = by_hand.search(
        perceptron,
        flat,
        classes,
        epsilon=0.1,
        T=3,
        schedule="exponential",
        start=0.7,
        rate=0.01,
        gamma=0.0,
        draws=np.zeros((3, 1, 1)),
        relative=False,
    )
    targets = by_hand.targets(perceptron.logits((found - perceptron.mean) / perceptron.std), classes, **rule)
    clean = perceptron.logits((flat - perceptron.mean) / perceptron.std)
    expected = by_hand.cross_entropy(clean[:5], targets[:5]) + 0.4 * by_hand.cross_entropy(clean[5:9], classes[5:9])
    loss = method.loss(batch_of(data, range(5), range(5, 9)))
    # The search keeps its logits in float32.
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_targets_depend_on_the_seed_through_noise_only():
    quiet = [prepared(plain(labels="soft"), seed=seed).targets for seed in (0, 1)]
    noisy = [prepared(plain(labels="soft", noise=1e3), seed=seed).targets for seed in (0, 0, 1)]
    assert torch.equal(*quiet)
    assert torch.equal(noisy[0], noisy[1])
    assert not torch.equal(noisy[0], noisy[2])


def test_images_without_a_label_are_left_out():
    data = small_items()
    method = prepared(plain(search_images=6, remain_weight=0.0), data=data, seed=3)
    used = method.used_rows.tolist()
    unused = [row for row in range(20) if row not in used]
    assert (len(used), method.gradient_evaluations) == (6, 6)
    mixed = method.loss(batch_of(data, [*unused[:3], *used[:2]], [0]))
    torch.testing.assert_close(mixed, method.loss(batch_of(data, used[:2], [0])))
    nothing = method.loss(batch_of(data, unused[:3], [0]))
    nothing.backward()
    assert nothing.item() == 0
    assert all(not parameter.grad.any() for parameter in method.network.parameters())


def test_a_batch_without_labelled_forget_images_trains_on_remain_images_alone():
    data = small_items()
    method = prepared(plain(search_images=6, remain_weight=2.5), data=data, seed=3)
    unused = [row for row in range(20) if row not in method.used_rows.tolist()]
    batch = batch_of(data, unused[:3], range(4))
    remain = nn.functional.cross_entropy(method.network(batch["remain"]["image"]), batch["remain"]["label"])
    torch.testing.assert_close(method.loss(batch), 2.5 * remain)


def test_the_search_is_planned_for_and_its_precision_passed_on():
    method = plain(steps=3, search_images=10)
    # So few images are not tried in bfloat16: a label each, and the network's width.
    assert method.gradients_to_prepare(forget=20, remain=0) == pytest.approx(3 * 10 + (10 + 1) / 3)
    assert not method.agrees_in_bfloat16
    method.finder.load_state_dict(dict.fromkeys(method_state(), torch.tensor(1)))
    assert method.agrees_in_bfloat16


def method_state():
    return prepared(plain()).state_dict()


def test_parts_follow_phase_and_weight():
    method = plain()
    assert method.parts == ("forget", "remain")
    method.remain_weight = 0
    assert method.parts == ("forget",)
    method.phase = "repair"
    assert method.parts == ("remain",)


def test_repair_is_the_remain_loss_alone():
    data = small_items()
    method = prepared(plain(remain_weight=0.25))
    method.phase = "repair"
    batch = batch_of(data, [0], [4, 5, 9])
    loss = method.loss({"remain": batch["remain"]})
    fine_tuning = prepared(FineTune(batch_norm="frozen"), method.network)
    torch.testing.assert_close(loss, fine_tuning.loss(batch))


def test_the_teacher_is_the_original_network():
    data = small_items()
    net = small_network()
    method = prepared(plain(remain_targets="teacher"), net, data)
    method.phase = "repair"
    batch = batch_of(data, [0], range(8))
    net.eval()
    before = net(batch["remain"]["image"]).detach()
    with torch.no_grad():
        net[5].weight.add_(0.3)
    method.set_mode()
    expected = -(before.softmax(1) * net(batch["remain"]["image"]).log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(method.loss(batch), expected)


def test_running_statistics_follow_remain_images_and_are_used_on_forget_images():
    data, net = small_items(), small_network()
    method = prepared(plain(batch_norm="remain", remain_weight=0.5), net, data)
    batch, norm = batch_of(data, range(4), range(10, 18)), net[1]
    before, kept = norm.running_mean.clone(), net(batch["forget"]["image"]).detach()
    entering = net[0](batch["remain"]["image"])
    loss = method.loss(batch)
    loss.backward()
    torch.testing.assert_close(norm.running_mean, 0.9 * before + 0.1 * entering.mean((0, 2, 3)))
    assert not norm.training
    forget = nn.functional.cross_entropy(net(batch["forget"]["image"]), method.targets[:4])
    norm.train()
    remain = nn.functional.cross_entropy(net(batch["remain"]["image"]), batch["remain"]["label"])
    torch.testing.assert_close(loss, forget + 0.5 * remain)
    # The statistics change the logits of forget images, and forget images did not change the statistics.
    norm.eval()
    assert not torch.equal(net(batch["forget"]["image"]), kept)


def test_diagnostics_are_logged_step_by_step(caplog):
    with caplog.at_level(logging.INFO, "monai_unlearn"):
        method = prepared(plain(steps=3, diagnostics=True))
    assert [step.step for step in method.trace.steps] == [1, 2, 3]
    assert method.trace.steps[0].images == 20
    lines = [record.getMessage() for record in caplog.records]
    assert [line[:19] for line in lines[:3]] == [f"search step {step} of 3:" for step in (1, 2, 3)]
    assert lines[3] == f"{method.flipped} of 20 forget images left their class; searched in float32"
    assert prepared(plain()).trace is None


def test_diagnostics_are_written_if_asked_for(tmp_path):
    for quiet in (plain(), FineTune()):
        assert prepared(quiet).write_diagnostics(tmp_path / "none") == []
    assert not (tmp_path / "none").exists()
    method = prepared(plain(steps=3, diagnostics=True))
    method.write_diagnostics(tmp_path / "plots")
    written = method.write_diagnostics(tmp_path / "plots")  # again, as a run that is repeated does
    assert [path.name for path in written] == ["search.json", "search.png"]
    assert set((tmp_path / "plots").iterdir()) == set(written)
    written = json.loads((tmp_path / "plots" / "search.json").read_text(encoding="utf-8"))
    assert written == method.trace.document()


def test_targets_are_restored_from_the_state_of_the_search():
    method = prepared(plain(epsilon=0.3, noise=0.1), seed=1)
    again = plain(epsilon=0.3, noise=0.1)
    again.load_state_dict(method.state_dict())
    prepared(again, small_network(seed=9), seed=1)
    assert torch.equal(again.targets, method.targets)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"labels": "medium"}, "labels: expected one of hard, soft, got 'medium'"),
        ({"remain_weight": -1}, "expected remain_weight >= 0 and search_images >= 1 or null"),
        ({"search_images": 0}, "expected remain_weight >= 0 and search_images >= 1 or null"),
        ({"remain_targets": "teachers"}, "remain_targets: expected one of labels, teacher, .* Did you mean 'teacher'"),
        ({"search_precision": "float16"}, "search_precision: expected one of auto, float32, got 'float16'"),
        (
            {"batch_norm": "froze"},
            "batch_norm: expected one of frozen, remain, mixed, published, got 'froze'. Did you mean 'frozen'",
        ),
        (
            {"preset": "published"},
            "preset: expected one of boundary_shrink, psg_published, got 'published'. Did you mean 'psg_published'",
        ),
    ],
)
def test_refuses_settings_out_of_range(wrong, message):
    with pytest.raises(ConfigError, match=message):
        plain(**wrong)
