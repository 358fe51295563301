from __future__ import annotations

import torch
from method_bench import small_items, small_network
from torch.nn.functional import cross_entropy

from monai_unlearn.methods.passes import (
    Features,
    batches_of,
    frozen_copy,
    mean_gradients,
    mean_squared_gradients,
    size_of,
)

CPU = torch.device("cpu")


def by_image(network, items):
    """The gradient of each image's own loss, written out."""
    network.eval()
    found = []
    for item in items:
        loss = cross_entropy(network(item["image"][None]), torch.tensor([item["label"]]))
        found.append(torch.autograd.grad(loss, list(network.parameters())))
    return found


def test_gradients_are_means_over_all_images_and_leave_the_network_alone():
    network, items = small_network(), small_items(70)  # more than one batch
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.train()
    gradients = mean_gradients(network, items, cross_entropy, CPU)
    squares = mean_squared_gradients(network, items, cross_entropy, CPU)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(weight.grad is None for weight in network.parameters())
    for place, name in enumerate(gradients):
        each = torch.stack([one[place] for one in by_image(network, items)])
        torch.testing.assert_close(gradients[name], each.mean(0), rtol=1e-4, atol=1e-7)
        torch.testing.assert_close(squares[name], each.square().mean(0), rtol=1e-4, atol=1e-9)


def test_features_are_what_enters_the_last_layer():
    network, items = small_network().eval(), small_items(3)
    images = torch.stack([item["image"] for item in items])
    logits, features = Features(network, items[0]["image"])(images)
    torch.testing.assert_close(features, network[:5](images))
    torch.testing.assert_close(logits, network(images))


def test_batches_keep_the_order_and_count_what_there_is():
    items = small_items(5)
    classes = torch.cat([labels for _, labels in batches_of(items, CPU, size=2)])
    assert classes.tolist() == [item["label"] for item in items]
    assert (size_of(items), size_of(None)) == (5, 0)


def test_a_frozen_copy_neither_learns_nor_follows():
    network = small_network().train()
    copy = frozen_copy(network)
    assert not any(module.training for module in copy.modules())
    assert not any(weight.requires_grad for weight in copy.parameters())
    assert all(weight.requires_grad for weight in network.parameters())
