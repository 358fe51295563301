"""An independent implementation of PSG in float64 numpy, written from the equations, to check the package against."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

SHAPE = (3, 4, 4)
CLASSES = 5


@dataclass(frozen=True)
class Perceptron:
    """f(x) = V tanh(W x + b) + c of flattened, normalised images."""

    W: np.ndarray
    b: np.ndarray
    V: np.ndarray
    c: np.ndarray
    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def random(cls, seed: int, *, mean, std, hidden: int = 7) -> Perceptron:
        random = np.random.default_rng(seed)
        inputs = math.prod(SHAPE)
        per_pixel = [np.repeat(np.array(values, dtype=float), inputs // 3) for values in (mean, std)]
        return cls(
            random.normal(0, 0.3, (hidden, inputs)),
            random.normal(0, 0.1, hidden),
            random.normal(0, 1, (CLASSES, hidden)),
            random.normal(0, 0.1, CLASSES),
            *per_pixel,
        )

    def module(self) -> nn.Sequential:
        """Return the same network for torch."""
        network = nn.Sequential(nn.Flatten(), nn.Linear(48, len(self.b)), nn.Tanh(), nn.Linear(len(self.b), CLASSES))
        network = network.double()
        with torch.no_grad():
            for layer, weight, bias in ((network[1], self.W, self.b), (network[3], self.V, self.c)):
                layer.weight.copy_(torch.from_numpy(weight))
                layer.bias.copy_(torch.from_numpy(bias))
        return network

    def logits(self, inputs: np.ndarray) -> np.ndarray:
        return np.tanh(inputs @ self.W.T + self.b) @ self.V.T + self.c

    def input_gradient(self, inputs: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """∇ₓ CE(f(x), y) by the chain rule, one row per image."""
        hidden = np.tanh(inputs @ self.W.T + self.b)
        error = softmax(self.logits(inputs))
        error[np.arange(len(inputs)), classes] -= 1
        return ((error @ self.V) * (1 - hidden**2)) @ self.W

    def pixel_gradient(self, pixels: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """∇ₚ CE(f((p − mean)/std), y), one row per image."""
        return self.input_gradient((pixels - self.mean) / self.std, classes) / self.std


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def weight_at(kind: str, start: float, rate: float, t: int, T: int) -> float:  # noqa: N803 - as the equations write it
    return {
        "constant": start,
        "inverse": start / t,
        "exponential": start * math.exp(-rate * (t - 1)),
        "linear": start * (T - t + 1) / T,
    }[kind]


def search(network: Perceptron, pixels, classes, *, epsilon, T, schedule, start, rate, gamma, draws, relative):  # noqa: N803, PLR0913 - as above
    """Return pixels after T steps; `draws` is z, one array (image, pixel) a step."""
    x = pixels.copy()
    for t in range(1, T + 1):
        loss_gradient = network.pixel_gradient(x, classes)
        g = loss_gradient - weight_at(schedule, start, rate, t, T) * (x - pixels)
        scale = np.abs(g).mean(axis=1, keepdims=True) if relative else 1.0
        x = x + epsilon / math.sqrt(t) * np.sign(g + gamma * scale * draws[t - 1])
        x = np.clip(x, np.maximum(pixels - epsilon, 0), np.minimum(pixels + epsilon, 1))
    return x


def targets(logits, classes, *, labels, top_k=None, runner_up=False):
    """Return class numbers or probabilities, image by image."""
    found = []
    for z, own in zip(logits, classes, strict=True):
        allowed = [k for k in range(len(z)) if not (runner_up and k == own)]
        if labels == "hard":
            found.append(max(allowed, key=lambda k: z[k]))
            continue
        kept = sorted(allowed, key=lambda k: -z[k])[:top_k]
        weights = np.zeros(len(z))
        weights[kept] = np.exp(z[kept] - z[kept].max())
        found.append(weights / weights.sum())
    return np.array(found)


def cross_entropy(logits, target):
    """Return the mean of −Σ qₖ log pₖ, where q is one-hot for class numbers."""
    q = np.eye(logits.shape[1])[target] if target.ndim == 1 else target
    return float(-(q * np.log(softmax(logits))).sum(axis=1).mean())
