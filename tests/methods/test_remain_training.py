from __future__ import annotations

import copy

import pytest
import torch
from method_bench import batch_of, context_of, small_items, small_network
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import FineTune, RemainTraining
from monai_unlearn.methods.remain_training import distillation_loss


def prepared(method, network=None, **settings):
    method.prepare(context_of(network or small_network(), small_items(), **settings))
    method.set_mode()
    return method


def test_its_loss_is_training_s_own():
    method = prepared(
        FineTune(batch_norm="frozen"), training_loss=nn.CrossEntropyLoss(weight=torch.tensor([5.0, 1, 1]))
    )
    batch = {"remain": batch_of(small_items(), [0], [0, 1, 2])["remain"]}
    losses = -method.network(batch["remain"]["image"]).log_softmax(1)[range(3), batch["remain"]["label"]]
    expected = (losses * torch.tensor([5.0, 1, 1])[batch["remain"]["label"]]).sum() / 7
    torch.testing.assert_close(method.loss(batch), expected)


def test_distillation_mixes_in_the_divergence_from_the_original():
    network = small_network()
    method = prepared(FineTune(distillation=0.25, temperature=3.0, batch_norm="frozen"), network)
    original = copy.deepcopy(network).eval()
    with torch.no_grad():
        network[5].weight.add_(0.5 * torch.randn(3, 4, generator=torch.Generator().manual_seed(0)))
    remain = batch_of(small_items(), [0], range(6))["remain"]
    p, q = (model(remain["image"]).div(3).softmax(1) for model in (original, network))
    divergence = (p * (p / q).log()).sum(1).mean() * 9
    plain = nn.CrossEntropyLoss()(network(remain["image"]), remain["label"])
    torch.testing.assert_close(method.loss({"remain": remain}), 0.75 * plain + 0.25 * divergence)
    assert method.taught == ("remain",)
    assert method.gradients_a_step(forget=4, remain=12) == pytest.approx(12 * 4 / 3)


def test_the_divergence_is_zero_for_equal_logits_and_not_symmetric():
    a, b = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    assert distillation_loss(a, a, temperature=2.0) == 0
    assert distillation_loss(a, b) != distillation_loss(b, a)


def test_a_subclass_says_where_training_starts():
    class FromZero(RemainTraining):
        def start(self, context):
            return {name: torch.zeros_like(value) for name, value in context.network.state_dict().items()}

    method = prepared(FromZero())
    assert not any(value.any() for value in method.network.state_dict().values())


@pytest.mark.parametrize("settings", [{"distillation": 1.5}, {"distillation": -1}, {"temperature": 0}])
def test_values_out_of_range_are_refused(settings):
    with pytest.raises(ConfigError, match=r"finetune: expected distillation in \[0, 1\] and temperature above 0"):
        FineTune(**settings)
