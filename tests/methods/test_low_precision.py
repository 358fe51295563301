from __future__ import annotations

import pytest
import torch
from method_bench import small_network
from torch import nn

from monai_unlearn.methods.low_precision import channels_last, has_bfloat16, in_bfloat16


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"avx512_bf16": True}, True),
        ({"avx512_bf16": False, "amx_bf16": True}, True),
        ({"sve_bf16": True}, True),
        ({"avx2": True}, False),
        (None, False),
    ],
)
def test_bfloat16_is_native_if_the_processor_reports_it(flags, expected, monkeypatch):
    if flags is None:
        monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    else:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: flags, raising=False)
    assert has_bfloat16(torch.device("cpu")) is expected
    assert not has_bfloat16(torch.device("meta"))


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), False), ((8, 0), True), ((9, 0), True)])
def test_bfloat16_is_native_on_a_gpu_from_ampere_on(capability, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert has_bfloat16(torch.device("cuda", 0)) is expected


def test_kernels_of_images_are_moved_and_those_of_volumes_are_not():
    images = channels_last(nn.Conv2d(2, 3, 3))
    assert images.weight.is_contiguous(memory_format=torch.channels_last)
    volumes = nn.Conv3d(2, 3, 3)
    strides = volumes.weight.stride()
    assert channels_last(volumes) is volumes
    assert volumes.weight.stride() == strides


def test_the_copy_rounds_to_bfloat16_and_leaves_the_network_alone():
    network = small_network().eval()
    images = torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    layout, expected = network[0].weight.stride(), network(images)
    found = in_bfloat16(network)(images)
    assert found.dtype == torch.float32
    assert torch.equal(found, found.bfloat16().float())  # computed in bfloat16
    assert not torch.equal(expected, expected.bfloat16().float())
    torch.testing.assert_close(found, expected, rtol=0.05, atol=0.02)
    assert network[0].weight.stride() == layout
    assert torch.equal(network(images), expected)
