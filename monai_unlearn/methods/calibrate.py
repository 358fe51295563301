"""Calibration: a last step for any method, which makes the network as sure, and as often of each class, as expected."""

from __future__ import annotations

import copy
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.optimize import brentq, minimize
from scipy.special import logsumexp, softmax
from torch import Tensor, nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.depth import modules_within

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

# Fewer images say too little about how often a class should be predicted.
MIN_IMAGES = 30
# Temperatures between these are tried; beyond, logits are no longer those of a network that learnt.
COLDEST, HOTTEST = 0.01, 100.0
# How far the means may be off in the end.
TOLERANCE = 1e-6


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What is done to logits z: z / temperature + offsets.

    Attributes:
        temperature: Above 0; above 1 makes the network less sure.
        offsets: One for each class, of mean 0.
        images: How many images it was found on.
    """

    temperature: float
    offsets: tuple[float, ...]
    images: int

    def __call__(self, logits: Tensor) -> Tensor:
        """Return calibrated logits, shape (image, class)."""
        return logits / self.temperature + torch.tensor(self.offsets).to(logits)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, for the record of a run."""
        return {**asdict(self), "offsets": list(self.offsets)}


def calibration(
    logits: Tensor,
    original: Tensor,
    *,
    old: Sequence[float],
    new: Sequence[float],
    images: Collection[str],
    trained_on: Collection[str],
) -> Calibration:
    """Return the temperature T and the offsets b that give the revised network the means that are expected of it.

    With the original's logits z₀ on images that it never saw, and the shares of the classes in its training and in the
    remain part, what is expected is q = softmax(z₀ + log(new / old)), the original for the new class frequencies
    (Saerens et al. 2002, Neural Computation 14:21, equation 2.4). T and b solve

        mean softmax(z / T + b) = mean q,    mean entropy(softmax(z / T + b)) = mean entropy(q)

    in float64. For each T there is one b up to a constant, where mean logsumexp(z / T + b) − b · mean q, which is
    convex, is least; T is a root, since the entropy rises from 0 to that of mean q, which is above the mean entropy.
    This is temperature scaling (Guo et al. 2017, arXiv 1706.04599) that needs no labels.

    A class of which no image remains is expected as often as the revised network predicts it. Where the original is
    much too sure of images that it never saw, so will be the result: look at its calibration first. On images that it
    was trained on it always is, which made three of four networks worse; so they are refused.

    Args:
        logits: The revised network's, on remain images that neither it nor the original was trained on, shape (image,
            class).
        original: The original's, on the same images.
        old: Share or number of training images of each class, for the original; all above 0.
        new: The same for the remain part, at least 0.
        images: What identifies each of these images, such as the digests of their pixels.
        trained_on: The same of the images that the original or the revised network was trained on.

    Raises:
        ConfigError: `check_given` refuses what is given, or no temperature fits.
    """
    check_given(old=old, new=new, images=images, trained_on=trained_on)
    if len(images) != len(logits):
        raise ConfigError(f"calibrate: got {len(logits)} images and {len(images)} identifiers. Identify each image.")
    z, z0 = (values.detach().double().cpu().numpy() for values in (logits, original))
    share, entropy = _expected(z, z0, np.asarray(old, dtype=float), np.asarray(new, dtype=float))
    temperature = _temperature(z, share, entropy)
    offsets = _offsets(z / temperature, share)
    found = softmax(z / temperature + offsets, axis=1)
    if max(np.abs(found.mean(0) - share).max(), abs(_entropy(found) - entropy)) > TOLERANCE:
        raise ConfigError("calibrate: no temperature and offsets give the expected means. Set calibrate: false.")
    return Calibration(temperature=temperature, offsets=tuple(offsets.tolist()), images=len(z))


def check_given(
    *, old: Sequence[float], new: Sequence[float], images: Collection[str], trained_on: Collection[str]
) -> None:
    """Refuse what no network can be calibrated with, whatever its logits: this is known before the first step.

    Args:
        old: As of `calibration`.
        new: As of `calibration`.
        images: As of `calibration`.
        trained_on: As of `calibration`.

    Raises:
        ConfigError: Images were trained on or are too few, or a class that the original was to learn has no image.
    """
    if seen := len(set(images) & set(trained_on)):
        raise ConfigError(
            f"calibrate: {seen} of {len(images)} validation images were trained on, of which a network is surer than "
            "it should be. Give images that were not, such as those of a validation split, or set calibrate: false."
        )
    if len(images) < MIN_IMAGES:
        raise ConfigError(
            f"calibrate: expected at least {MIN_IMAGES} validation images, got {len(images)}. Set calibrate: false "
            "where there are no more."
        )
    before, now = np.asarray(old, dtype=float), np.asarray(new, dtype=float)
    if not (before.shape == now.shape and (before > 0).all() and (now >= 0).all() and now.sum() > 0):
        raise ConfigError("calibrate: expected a frequency above 0 of each class before, and of at least 0 now.")


def check_folds(network: nn.Module, image: Tensor) -> None:
    """Refuse a network whose last layer takes no calibration; the network is left as it is.

    Args:
        network: The network before the run, which has the form of the revised one.
        image: As of `fold`.

    Raises:
        ConfigError: As `fold`.
    """
    tried = copy.deepcopy(network)
    layer = _last_layer(tried, image)[1]
    offsets = tuple(float(number) for number in range(layer.out_features))
    fold(tried, Calibration(temperature=2.0, offsets=offsets, images=0), image)


def fold(network: nn.Module, found: Calibration, image: Tensor) -> None:
    """Fold a calibration into the last layer, in place: W ← W / T, bias ← bias / T + b.

    Where the layer gives one logit less than there are classes, its logits are those of the classes after the first,
    whose own is 0: they get the differences of the offsets from the first one.

    Args:
        network: The revised network, whose last layer gives the logits.
        found: The calibration.
        image: One input, shape (channel, *spatial), on the network's device; only its shape counts.

    Raises:
        ConfigError: The last layer is not linear with a bias, or something follows it; the network is left as it was.
    """
    name, layer = _last_layer(network, image)
    images = torch.rand((4, *image.shape), generator=torch.Generator().manual_seed(0)).to(image)
    with torch.no_grad():
        network.eval()
        expected, kept = found(network(images)), [layer.weight.clone(), layer.bias.clone()]
        offsets = torch.tensor(found.offsets).to(layer.bias)
        if len(layer.bias) == len(offsets) - 1:
            offsets, expected = offsets[1:] - offsets[0], expected - found.offsets[0]
        if len(layer.bias) != len(offsets):
            raise _not_last(name)
        layer.weight.div_(found.temperature)
        layer.bias.div_(found.temperature).add_(offsets)
        if torch.allclose(network(images), expected, rtol=1e-3, atol=1e-4):
            return
        layer.weight.copy_(kept[0])
        layer.bias.copy_(kept[1])
    raise _not_last(name)


def _not_last(name: str) -> ConfigError:
    return ConfigError(f"calibrate: the logits are not the output of the last layer, '{name}'. Set calibrate: false.")


def _last_layer(network: nn.Module, image: Tensor) -> tuple[str, nn.Linear]:
    name = modules_within(network, "head", image)[0]
    layer = network.get_submodule(name)
    if not isinstance(layer, nn.Linear) or layer.bias is None:
        raise ConfigError(
            f"calibrate: expected a linear last layer with a bias, got {type(layer).__name__} '{name}'. "
            "Set calibrate: false."
        )
    return name, layer


def _expected(z: Array, z0: Array, old: Array, new: Array) -> tuple[Array, float]:
    """Return mean softmax and mean entropy of the original for the new class frequencies."""
    if old.shape != (z.shape[1],):
        raise ConfigError(f"calibrate: expected frequencies of {z.shape[1]} classes, got {len(old)}.")
    remains = new > 0
    moved = z0[:, remains] + np.log(new[remains] / old[remains])
    share = softmax(z, axis=1).mean(0)
    share[remains] = softmax(moved, axis=1).mean(0) * (1 - share[~remains].sum())
    return share, _entropy(softmax(moved, axis=1))


def _temperature(z: Array, share: Array, entropy: float) -> float:
    """Return the temperature at which the entropy is the expected one, with the offsets that belong to it."""

    def excess(log_temperature: float) -> float:
        scaled = z / math.exp(log_temperature)
        return _entropy(softmax(scaled + _offsets(scaled, share), axis=1)) - entropy

    ends = math.log(COLDEST), math.log(HOTTEST)
    if excess(ends[0]) > 0 or excess(ends[1]) < 0:
        raise ConfigError(
            f"calibrate: no temperature from {COLDEST} to {HOTTEST} gives the expected entropy. Set calibrate: false."
        )
    return math.exp(brentq(excess, *ends, xtol=1e-10))


def _offsets(z: Array, share: Array) -> Array:
    """Return the offsets b of mean 0 at which mean softmax(z + b) is a given share."""

    def loss(b: Array) -> float:
        return float(logsumexp(z + b, axis=1).mean() - b @ share)

    def gradient(b: Array) -> Array:
        return np.asarray(softmax(z + b, axis=1).mean(0) - share)

    def curvature(b: Array) -> Array:
        p = softmax(z + b, axis=1)
        # The constant direction, along which the loss is flat, gets a curvature of its own.
        return np.asarray(np.diag(p.mean(0)) - p.T @ p / len(p) + 1 / len(b))

    start = np.log(share) - np.log(softmax(z, axis=1).mean(0))
    done = minimize(loss, start, jac=gradient, hess=curvature, method="trust-exact", options={"gtol": 1e-9})
    return np.asarray(done.x - done.x.mean())


def _entropy(p: Array) -> float:
    return float(-(p * np.log(np.maximum(p, np.finfo(float).tiny))).sum(1).mean())
