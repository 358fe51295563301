from __future__ import annotations

import dataclasses
import logging

import pytest
import torch
from method_bench import batch_of, collate, context_of, small_items, small_network
from method_steps import assert_resumes_and_repeats
from monai.bundle import ConfigComponent

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import PSG, PUBLISHED, BoundaryShrink, PublishedPSG, info_of

KEYS = ("image", "label", "row")
LOOPS = {"boundary_shrink": BoundaryShrink, "psg_published": PublishedPSG}


def prepared(method, net=None, data=None, seed=0):
    method.prepare(context_of(small_network() if net is None else net, data or small_items(), seed=seed))
    method.set_mode()
    return method


def test_a_step_descends_on_clean_forget_images_alone_with_batch_norm_in_train_mode():
    data, net = small_items(), small_network()
    method = prepared(BoundaryShrink(), net, data)
    batch, before = batch_of(data, range(6), [9]), net[1].running_mean.clone()
    loss = method.loss(batch)
    targets = prepared(BoundaryShrink(), small_network(), data).search(*(batch["forget"][key] for key in KEYS))
    entering = net[0](batch["forget"]["image"])
    torch.testing.assert_close(net[1].running_mean, 0.9 * before + 0.1 * entering.mean((0, 2, 3)))
    torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(net(batch["forget"]["image"]), targets))
    assert method.parts == ("forget",)


def searched(method, batch):
    return method.search(*(batch[key] for key in KEYS))


def test_every_step_searches_again_on_the_original_network():
    data, net = small_items(), small_network()
    method = prepared(PublishedPSG(labels="soft", noise=1e3), net, data)
    forget = batch_of(data, range(6), [9])["forget"]
    first = searched(method, forget)
    method.after_step()
    assert not torch.equal(first, searched(method, forget))
    assert method.gradient_evaluations == method.forward_passes == 12
    assert all(parameter.grad is None for parameter in method._frozen.parameters())
    still = prepared(BoundaryShrink(labels="soft"), net, data)
    before = searched(still, forget)
    with torch.no_grad():
        net[5].weight.add_(5.0)
    assert torch.equal(searched(still, forget), before)


def test_a_resumed_loop_continues_with_the_same_draws():
    data = small_items()
    batch = batch_of(data, range(6), [9])["forget"]
    whole = prepared(PublishedPSG(labels="soft", noise=1e3), data=data)
    states = []
    for _ in range(3):
        last = searched(whole, batch)
        whole.after_step()
        states.append(whole.state_dict())
    assert [state["steps"] for state in states] == [1, 2, 3]
    resumed = PublishedPSG(labels="soft", noise=1e3)
    resumed.load_state_dict(states[1])
    prepared(resumed, data=data)
    assert torch.equal(searched(resumed, batch), last)
    assert resumed.gradient_evaluations == 18
    assert_resumes_and_repeats(lambda: PublishedPSG(noise=1e-2, proximity_weight=1e-3, proximity_schedule="inverse"))
    assert_resumes_and_repeats(BoundaryShrink)


def test_a_draw_depends_on_seed_step_and_row_and_not_on_the_batch():
    data = small_items()
    whole, part = (prepared(PublishedPSG(noise=1.0), data=data, seed=7) for _ in range(2))
    batch = collate(data[:6])
    like = torch.zeros_like(batch["image"])
    together = whole.direction(like, like, like, batch["row"])
    assert torch.equal(part.direction(like[:2], like[:2], like[:2], batch["row"][[4, 1]]), together[[4, 1]])
    other = prepared(PublishedPSG(noise=1.0), data=data, seed=8)
    assert not torch.equal(other.direction(like, like, like, batch["row"]), together)


def test_two_processes_find_the_labels_of_one_and_count_the_searches_of_both():
    data = small_items()
    batch = batch_of(data, range(8), [9])["forget"]
    options = {"labels": "soft", "noise": 1e-3, "proximity_weight": 1e-3}
    whole = searched(prepared(PublishedPSG(**options), data=data), batch)
    for rank in range(2):
        method = PublishedPSG(**options)
        method.prepare(context_of(small_network(), data, rank=rank, world_size=2))
        share = {key: value[rank::2] for key, value in batch.items()}
        torch.testing.assert_close(searched(method, share), whole[rank::2])
        assert method.gradient_evaluations == 8


def test_an_empty_state_is_that_of_a_new_run():
    method = BoundaryShrink()
    method.load_state_dict({})
    assert (method.gradient_evaluations, method.state_dict()) == (0, {"steps": 0, "searched": 0})


@pytest.mark.parametrize(
    ("name", "method"), [("boundary_shrink", BoundaryShrink()), ("psg_published", PublishedPSG(noise=1.0))]
)
def test_refuses_the_state_of_another_method(name, method):
    with pytest.raises(ConfigError, match=f"holds logits, but {name} keeps searched and steps. Delete the checkpoint"):
        method.load_state_dict({"logits": 1})


def test_remain_weight_and_repair():
    data = small_items()
    method = prepared(BoundaryShrink(remain_weight=2.0), data=data)
    assert method.parts == ("forget", "remain")
    batch = batch_of(data, range(3), range(6, 12))
    method.network.eval()
    both = method.loss(batch)
    method.phase = "repair"
    assert method.parts == ("remain",)
    remain = method.loss(batch)
    method.phase, method.remain_weight = "forget", 0.0
    torch.testing.assert_close(both, method.loss(batch) + 2.0 * remain)
    with pytest.raises(ConfigError, match="boundary_shrink: expected remain_weight >= 0, got -1"):
        BoundaryShrink(remain_weight=-1.0)


def test_a_preset_names_the_options_that_it_ignores(caplog):
    with caplog.at_level(logging.WARNING, "monai_unlearn"):
        method = PSG(preset="psg_published", epsilon=0.03, batch_norm="frozen", noise=0.1, remain_weight=0.5)
    assert "the preset psg_published ignores the options batch_norm, epsilon" in caplog.text
    assert (method.noise.weight, method.remain_weight, method.batch_norm) == (0.1, 0.5, "published")
    with caplog.at_level(logging.WARNING, "monai_unlearn"):
        assert PSG(preset="boundary_shrink", labels="soft", noise=0.0).rule.labels == "soft"
    assert "the preset boundary_shrink ignores the options noise" in caplog.text


@pytest.mark.parametrize("name", LOOPS)
def test_a_config_names_the_preset_as_an_option_of_psg(name):
    config = {"_target_": "monai_unlearn.methods.PSG", "preset": name, "noise": 0.1}
    method = ConfigComponent(config).instantiate()
    assert type(method) is LOOPS[name]
    assert info_of(method).name == name
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
