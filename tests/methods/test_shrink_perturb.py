from __future__ import annotations

import pytest
import torch
from method_bench import context_of, same, small_items, small_network
from method_steps import assert_resumes_and_repeats

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import Scratch, ShrinkPerturb


def trained():
    network = small_network()
    with torch.no_grad():
        network[1].weight.add_(2)
    return network


def start(method, seed=0):
    network = trained()
    method.prepare(context_of(network, small_items(), seed=seed))
    return network.state_dict()


def test_weights_are_mixed_with_fresh_ones_and_batch_norm_is_left():
    original, fresh = trained().state_dict(), start(Scratch())
    found = start(ShrinkPerturb(kept=0.6))
    for name, value in found.items():
        expected = original[name] if name.startswith("1.") else 0.6 * original[name] + 0.4 * fresh[name]
        torch.testing.assert_close(value, expected)
    assert not torch.equal(found["5.weight"], start(ShrinkPerturb(kept=0.6), seed=1)["5.weight"])


def test_the_ends_are_the_original_and_fresh_weights():
    assert same(start(ShrinkPerturb(kept=1.0)), trained().state_dict())
    fresh, found = start(Scratch()), start(ShrinkPerturb(kept=0.0))
    assert all(torch.equal(found[name], fresh[name]) for name in ("0.weight", "0.bias", "5.weight", "5.bias"))


def test_layers_within_the_depth_keep_nothing():
    original, fresh = trained().state_dict(), start(Scratch())
    method = ShrinkPerturb(kept=0.8, depth="head")
    found = start(method)
    mixed = {name: 0.8 * original[name] + 0.2 * fresh[name] for name in ("0.weight", "0.bias")}
    for name, value in found.items():
        last = fresh if name.startswith("5.") else original
        torch.testing.assert_close(value, mixed.get(name, last[name]))
    assert method.forward_passes == 1
    assert ShrinkPerturb().forward_passes == 0


def test_fresh_blocks_bring_fresh_batch_norm():
    found = start(ShrinkPerturb(kept=1.0, depth="all"))
    assert same(found, start(Scratch()))


def test_shared_weights_stay_shared():
    network = small_network()
    network.append(torch.nn.Linear(3, 3))
    network.append(network[6])
    ShrinkPerturb().prepare(context_of(network, small_items()))
    assert network[7].weight is network[6].weight


def test_it_repeats_and_resumes_with_its_teacher():
    assert_resumes_and_repeats(lambda: ShrinkPerturb(distillation=0.5))


@pytest.mark.parametrize("kept", [-0.1, 1.1])
def test_a_share_out_of_range_is_refused(kept):
    with pytest.raises(ConfigError, match=r"shrink_perturb: expected kept in \[0, 1\]"):
        ShrinkPerturb(kept=kept)


def test_the_rate_is_a_multiple_of_trainings_own():
    assert ShrinkPerturb(rate=0.5).steps.learning_rate == 0.5
    assert ShrinkPerturb().steps.learning_rate == ShrinkPerturb.steps.learning_rate == 1.0
    for rate in (0, "most"):
        with pytest.raises(ConfigError, match=f"shrink_perturb: expected a rate above 0, or auto, got {rate}"):
            ShrinkPerturb(rate=rate)


def test_the_rate_may_follow_the_budget():
    found = ShrinkPerturb(rate="auto")
    assert [found.peak_rate(share) for share in (None, 0.1, 0.15, 0.2)] == [0.5, 0.5, 0.75, 1.0]
    assert ShrinkPerturb(rate=2.0).peak_rate(0.1) == 2.0


def test_a_depth_that_is_none_is_refused():
    with pytest.raises(ConfigError, match="depth: expected head, last_block, all or a number"):
        ShrinkPerturb(depth="auto")


class Places(torch.nn.Module):
    """An embedding that nothing says how to initialise, as in vision transformers."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.full((3,), 5.0))

    def forward(self, x):
        return x + self.weight


def test_what_no_layer_can_initialise_is_left_alone_and_recorded():
    network, method = small_network().append(Places()), ShrinkPerturb(kept=0.4)
    method.prepare(context_of(network, small_items()))
    assert torch.equal(network[-1].weight, torch.full((3,), 5.0))
    assert method.record == {"left_alone": [str(len(network) - 1)]}
    assert ShrinkPerturb().record == {}


def test_a_layer_within_the_depth_that_cannot_begin_afresh_is_refused():
    network = small_network().append(Places())
    with pytest.raises(ConfigError, match="Places '6' has weights but no `reset_parameters`"):
        ShrinkPerturb(depth="head").prepare(context_of(network, small_items()))


def test_a_network_of_which_nothing_can_be_initialised_is_refused():
    network = torch.nn.Sequential(torch.nn.Flatten(), Places())
    with pytest.raises(ConfigError, match="no layer of the network can be initialised afresh.*--method finetune"):
        ShrinkPerturb().prepare(context_of(network, small_items()))
