from __future__ import annotations

import numpy as np
import psg_by_hand as by_hand
import torch
from method_bench import SPACE, collate, context_of, small_items, small_network
from torch.nn.functional import cross_entropy

from monai_unlearn.methods import BoundaryShrink, info_of


def searched(method, network, inputs, classes):
    """Return the targets, and the network inputs that the labels were predicted on."""
    seen = []
    method.prepare(context_of(network, []))
    method._frozen.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0].detach()))
    return method.search(inputs, classes, torch.arange(len(inputs))), seen[-1]


def test_a_step_agrees_with_its_equation():
    perceptron = by_hand.Perceptron.random(5, mean=SPACE.mean, std=SPACE.std)
    pixels = torch.rand(16, *by_hand.SHAPE, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    classes = torch.arange(16) % 5
    found, points = searched(BoundaryShrink(), perceptron.module(), SPACE.to_inputs(pixels), classes)
    flat = pixels.reshape(16, -1).numpy()
    gradient = perceptron.pixel_gradient(flat, classes.numpy())
    expected = np.round(np.clip(flat + 0.1 * np.sign(gradient), 0, 1) * 255) / 255
    np.testing.assert_allclose(SPACE.to_pixels(points).reshape(16, -1).numpy(), expected, rtol=0, atol=1e-12)
    logits = perceptron.logits((expected - perceptron.mean) / perceptron.std)
    assert found.tolist() == logits.argmax(1).tolist()


def test_labels_are_those_of_a_step_on_the_pixel_gradient_to_the_bit():
    """The gradient in pixels is that in normalised values over std: without λ and γ the sign is the same."""
    network, batch = small_network().eval(), collate(small_items())
    found, points = searched(BoundaryShrink(labels="soft"), network, batch["image"], batch["label"])
    pixels = SPACE.to_pixels(batch["image"]).requires_grad_()
    (gradient,) = torch.autograd.grad(cross_entropy(network(SPACE.to_inputs(pixels)), batch["label"]), pixels)
    moved = (pixels.detach() + 0.1 * gradient.sign()).clamp(0, 1)
    expected = SPACE.to_inputs((moved * 255).round() / 255)
    assert torch.equal(points, expected)
    assert torch.equal(found, network(expected).softmax(1))


def test_its_record_names_boundary_unlearning_and_the_code_that_it_follows():
    info = info_of(BoundaryShrink())
    assert info.name == "boundary_shrink"
    assert "Chen et al. 2023" in info.paper
    assert "2505.21872" in info.paper
    assert "Nahass" not in info.paper
