from __future__ import annotations

import copy

import pytest
import torch
from method_bench import context_of, small_items, small_network
from teacher_steps import BATCH, a_step, prepared
from torch.nn.functional import cross_entropy

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import RemainTeacher

ITEMS = small_items()


def test_a_reset_copy_learns_first_and_then_teaches_the_original():
    network = small_network()
    original = copy.deepcopy(network.state_dict())
    method = prepared(network, share=0.5, remain_weight=0.7, temperature=2.0)
    assert not torch.equal(network[5].weight, original["5.weight"])
    a_step(method, 0.0)
    assert method.parts == ("remain",)
    a_step(method, 0.25)
    teacher = copy.deepcopy(network).eval()
    back = small_network().train()
    back.load_state_dict(original)
    method.done = 0.5
    loss = method.loss(BATCH)
    kept = cross_entropy(back(BATCH["remain"]["image"]), BATCH["remain"]["label"])
    back.eval()  # its statistics have followed the remain images
    images = BATCH["forget"]["image"]
    p, q = ((model(images) / 2).softmax(1) for model in (teacher, back))
    expected = 4 * (p * (p.log() - q.log())).sum(1).mean() + 0.7 * kept
    torch.testing.assert_close(loss, expected, rtol=1e-4, atol=1e-5)
    assert (method.parts, method.taught) == (("forget", "remain"), ("forget",))
    method.phase = "repair"
    assert (method.parts, method.taught) == (("remain",), ())


def test_hooks_that_the_engine_puts_on_the_network_stay_off_the_teacher():
    network, seen = small_network(), []
    method = prepared(network)
    network.register_forward_hook(lambda module, _inputs, _outputs: seen.append(module))
    a_step(method, 0.6)
    assert set(seen) == {network}


def test_its_plan_counts_the_steps_of_both_halves():
    assert RemainTeacher(share=0.25).gradients_a_step(forget=9, remain=16) == pytest.approx(16 + 0.75 * 12)


def test_it_resumes_with_the_teacher_it_had():
    network = small_network()
    method = prepared(network)
    for done in (0.0, 0.3, 0.6):
        a_step(method, done)
    state, weights = copy.deepcopy(method.state_dict()), copy.deepcopy(network.state_dict())
    resumed_network = small_network()
    resumed = prepared(resumed_network, state=state)
    resumed_network.load_state_dict(weights)
    assert torch.equal(a_step(resumed, 0.7), a_step(method, 0.7))
    assert torch.equal(resumed_network[5].weight, network[5].weight)


def test_before_the_teacher_has_learnt_there_is_nothing_to_keep():
    method = prepared(small_network())
    assert method.state_dict() == {}


@pytest.mark.parametrize("settings", [{"share": 0}, {"share": 1}, {"remain_weight": -1}, {"temperature": 0}])
def test_values_out_of_range_are_refused(settings):
    with pytest.raises(ConfigError, match=r"remain_teacher: expected share in \(0, 1\)"):
        RemainTeacher(**settings)


def test_a_foreign_checkpoint_and_no_remain_images_are_refused():
    with pytest.raises(ConfigError, match="the checkpoint holds logits, but remain_teacher keeps its teacher"):
        RemainTeacher().load_state_dict({"logits": torch.zeros(1)})
    with pytest.raises(ConfigError, match="remain_teacher: expected remain images"):
        RemainTeacher().prepare(context_of(small_network(), ITEMS, remain=None))
