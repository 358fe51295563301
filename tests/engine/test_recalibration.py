from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_unlearn.engine.recalibration import as_delivered, with_controls

GENERATOR = torch.Generator().manual_seed(0)
# Recalibration averages over whole batches of 64: which images these are depends on the order.
REMAIN = [{"image": torch.randn(2, 4, 4, generator=GENERATOR), "label": 0} for _ in range(300)]


def classifier(*layers):
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, 1), *layers, nn.Flatten(), nn.Linear(48, 2))


def statistics(network):
    return network[1].running_mean


def test_the_control_uses_another_order_of_images_than_the_delivered_network():
    """With the order of the delivered network, the control would have the same statistics and show nothing."""
    delivered = as_delivered(classifier(nn.BatchNorm2d(3)), REMAIN, device="cpu", seed=7)
    networks = with_controls({"revised": delivered}, REMAIN, device="cpu", seed=7)
    assert list(networks) == ["revised", "revised_recalibrated"]
    assert not torch.equal(statistics(networks["revised_recalibrated"]), statistics(delivered))
    assert torch.allclose(statistics(networks["revised_recalibrated"]), statistics(delivered), atol=0.05)
    assert torch.equal(networks["revised_recalibrated"][0].weight, delivered[0].weight)


def test_the_delivered_network_is_a_recalibrated_copy_that_the_seed_determines():
    network = classifier(nn.BatchNorm2d(3))
    first, second, other = (as_delivered(network, REMAIN, device="cpu", seed=seed) for seed in (0, 0, 1))
    assert torch.equal(statistics(first), statistics(second))
    assert not torch.equal(statistics(first), statistics(other))
    assert torch.equal(statistics(network), torch.zeros(3))


def test_an_evaluation_during_the_run_uses_fewer_images():
    network = classifier(nn.BatchNorm2d(3))
    passes = []
    images = [{**item, "row": row} for row, item in enumerate(REMAIN)]

    class Counted(list):
        def __getitem__(self, row):
            passes.append(row)
            return super().__getitem__(row)

    as_delivered(network, Counted(images), device="cpu", seed=0, max_images=128)
    assert len(passes) == 128


@pytest.mark.parametrize("layer", [nn.Identity(), nn.BatchNorm2d(3, track_running_stats=False)])
def test_a_network_without_running_statistics_is_delivered_as_it_is_and_has_no_control(layer):
    network = classifier(layer)
    assert as_delivered(network, REMAIN, device="cpu", seed=0) is network
    assert with_controls({"revised": network}, REMAIN, device="cpu", seed=0) == {"revised": network}
