from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import FineTune, MethodContext, PixelSpace


def context(network: nn.Module, data=()) -> MethodContext:
    space = PixelSpace(mean=(0.5,), std=(0.25,))
    return MethodContext(network=network, forget=data, pixel_space=space, device=torch.device("cpu"), seed=0)


def test_pixel_space_goes_there_and_back():
    space = PixelSpace(mean=(0.4, 0.5), std=(0.1, 2.0))
    pixels = torch.rand(3, 2, 4, 5, generator=torch.Generator().manual_seed(0))
    inputs = space.to_inputs(pixels)
    assert inputs[0, 1, 0, 0] == pytest.approx((pixels[0, 1, 0, 0].item() - 0.5) / 2)
    torch.testing.assert_close(space.to_pixels(inputs), pixels)


@pytest.mark.parametrize(
    "wrong", [{"mean": (0.5,), "std": (0.0,)}, {"mean": (), "std": ()}, {"mean": (0.5,), "std": (1.0, 1.0)}]
)
def test_pixel_space_refuses_what_it_cannot_invert(wrong):
    with pytest.raises(ConfigError, match="pixel_space: expected a mean and a positive std"):
        PixelSpace(**wrong)


def test_pixel_space_refuses_other_channels():
    with pytest.raises(ConfigError, match="has 1 channels, the images have 3"):
        PixelSpace(mean=(0.5,), std=(0.5,)).to_inputs(torch.zeros(1, 3, 2, 2))


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


def test_remain_statistics_move_on_remain_images_alone():
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    method = FineTune(batch_norm="remain")
    method.prepare(context(network))
    method.set_mode()
    images, before = (
        torch.randn(8, 1, 4, 4, generator=torch.Generator().manual_seed(0)),
        network[1].running_mean.clone(),
    )
    method.read("forget", images)
    assert torch.equal(network[1].running_mean, before)
    method.read("remain", images)
    assert not torch.equal(network[1].running_mean, before)
    assert not network[1].training


def test_mixed_reads_both_parts_as_one_batch():
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    method = FineTune(batch_norm="mixed")
    method.prepare(context(network))
    method.set_mode()
    forget, remain = torch.randn(2, 1, 4, 4), 3 + torch.randn(6, 1, 4, 4)
    read = torch.cat(method.read_together(forget, remain))
    raw = network[0](torch.cat([forget, remain]))
    centred = raw - raw.mean((0, 2, 3), keepdim=True)
    torch.testing.assert_close(read, centred / (raw.var((0, 2, 3), unbiased=False, keepdim=True) + 1e-5).sqrt())


def test_remain_images_are_read_first_where_they_move_the_statistics():
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    method = FineTune(batch_norm="remain")
    method.prepare(context(network))
    method.set_mode()
    forget, remain = torch.randn(2, 1, 4, 4), 3 + torch.randn(6, 1, 4, 4)
    read, _ = method.read_together(forget, remain)
    assert torch.equal(read, network(forget))  # with the statistics after the remain images


def test_refuses_an_unknown_batch_norm_mode():
    with pytest.raises(
        ConfigError, match="expected one of frozen, remain, mixed, published, got 'froze'. Did you mean 'frozen'"
    ):
        FineTune(batch_norm="froze")


def test_fine_tuning_looks_at_remain_only():
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    method = FineTune()
    method.prepare(context(network))
    remain = {"image": torch.ones(3, 1, 2, 2), "label": torch.tensor([0, 1, 0])}
    loss = method.loss({"forget": None, "remain": remain})
    shares = network(remain["image"]).softmax(1)
    expected = -shares[torch.arange(3), remain["label"]].log().mean()
    torch.testing.assert_close(loss, expected)
    assert method.gradient_evaluations == 0
    assert method.parts == ("remain",)
