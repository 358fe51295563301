from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn

from monai_unlearn import methods
from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import FineTune, Method, MethodContext, PixelSpace
from monai_unlearn.methods.projection import Box


def context(network: nn.Module, data=()) -> MethodContext:
    space = PixelSpace(mean=(0.5,), std=(0.25,))
    return MethodContext(
        network=network, forget=data, remain=data, pixel_space=space, device=torch.device("cpu"), seed=0
    )


@pytest.mark.parametrize(
    ("mode", "moves"), [("frozen", False), ("remain", False), ("mixed", True), ("published", True)]
)
def test_batch_norm_mode_decides_whether_statistics_drift(mode, moves):
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Dropout(0.5))
    before = network[1].running_mean.clone()
    method = FineTune(batch_norm=mode)
    method.prepare(context(network))
    method.set_mode()
    network(torch.randn(8, 1, 4, 4, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(network[1].running_mean, before) is not moves
    assert network[2].training


def test_remain_statistics_follow_remain_images_alone():
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    method = FineTune(batch_norm="remain")
    method.prepare(context(network))
    method.set_mode()
    images, before = (
        torch.randn(8, 1, 4, 4, generator=torch.Generator().manual_seed(0)),
        network[1].running_mean.clone(),
    )
    method.forward("forget", images)
    assert torch.equal(network[1].running_mean, before)
    method.forward("remain", images)
    assert not torch.equal(network[1].running_mean, before)
    assert not network[1].training


def test_mixed_passes_both_parts_as_one_batch():
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    method = FineTune(batch_norm="mixed")
    method.prepare(context(network))
    method.set_mode()
    forget, remain = torch.randn(2, 1, 4, 4), 3 + torch.randn(6, 1, 4, 4)
    logits = torch.cat(method.forward_both(forget, remain))
    raw = network[0](torch.cat([forget, remain]))
    centred = raw - raw.mean((0, 2, 3), keepdim=True)
    torch.testing.assert_close(logits, centred / (raw.var((0, 2, 3), unbiased=False, keepdim=True) + 1e-5).sqrt())


def test_remain_images_pass_first_if_they_update_the_statistics():
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    method = FineTune(batch_norm="remain")
    method.prepare(context(network))
    method.set_mode()
    forget, remain = torch.randn(2, 1, 4, 4), 3 + torch.randn(6, 1, 4, 4)
    logits, _ = method.forward_both(forget, remain)
    assert torch.equal(logits, network(forget))  # with the statistics after the remain images


def test_refuses_an_unknown_batch_norm_mode():
    with pytest.raises(
        ConfigError,
        match="batch_norm: expected one of frozen, remain, mixed, published, got 'froze'. Did you mean",
    ):
        FineTune(batch_norm="froze")


def test_a_method_without_state_refuses_the_state_of_another():
    FineTune().load_state_dict({})
    with pytest.raises(ConfigError, match="holds logits, but FineTune keeps nothing. Delete the checkpoint"):
        FineTune().load_state_dict({"logits": 1})


def test_a_context_of_one_process_sums_nothing_and_saves_nothing():
    alone, tensor = context(nn.Identity()), torch.arange(3)
    assert alone.all_reduce_sum(tensor) is tensor
    assert alone.checkpoint() is None
    assert (alone.rank, alone.world_size) == (0, 1)


RECORDS = (
    methods.BoundarySearch(),
    methods.Noise(),
    methods.PUBLISHED,
    methods.Schedule(start=1.0),
    methods.SearchStep(step=1, size=0.1, images=2, objective=0.0, gap=0.0, slope=0.0),
    methods.TargetRule(),
    PixelSpace(mean=(0.5,), std=(0.25,)),
    Box(lowest=torch.zeros(1), highest=torch.ones(1)),
    context(nn.Identity()),
)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_records_are_frozen_and_take_keywords_only(record):
    field = dataclasses.fields(record)[0]
    with pytest.raises(dataclasses.FrozenInstanceError, match=f"cannot assign to field '{field.name}'"):
        setattr(record, field.name, None)
    with pytest.raises(TypeError, match="positional argument"):
        type(record)(getattr(record, field.name))


def test_the_defaults_of_a_method_cost_nothing_and_claim_nothing(tmp_path):
    class Plain(Method):
        def loss(self, batch):
            return batch["remain"].sum()

    method = Plain()
    assert method.parts == ("forget", "remain")
    assert method.gradient_evaluations == method.gradients_to_prepare(forget=10, remain=10) == 0
    assert not method.agrees_in_bfloat16
    assert method.state_dict() == {}
    assert method.finish() is None
    assert method.write_diagnostics(tmp_path / "none") == []
    assert not (tmp_path / "none").exists()


def test_a_method_that_decides_nothing_has_nothing_to_record():
    assert FineTune().record == {}
