"""Trains and runs what predictors ask for: the engine's side of `evaluation/predictors/`."""

from __future__ import annotations

import copy
import inspect
import time
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from monai.bundle import ComponentLocator, ConfigComponent
from monai.utils import optional_import
from torch import Tensor, nn
from torch.utils.data import Dataset, Subset

from monai_unlearn.engine.cached_features import Tail, TailSteps, cached, features_of, train_tail
from monai_unlearn.engine.flops import flops, relative_cost
from monai_unlearn.engine.head import head_of, with_head_of
from monai_unlearn.engine.recipe import training_config
from monai_unlearn.engine.reference import WEIGHTS
from monai_unlearn.engine.training_record import RECORD, record_of
from monai_unlearn.engine.training_steps import TrainingSteps
from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation.predictors import Proxy
from monai_unlearn.evaluation.predictors.half_width import FACTOR, WIDTHS
from monai_unlearn.methods import chosen_rows
from monai_unlearn.methods.base import FORWARD_PASS
from monai_unlearn.methods.reset import Reset
from monai_unlearn.release import load_weights

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from monai_unlearn.data import CohortData
    from monai_unlearn.engine.checkpoint import Checkpoints
    from monai_unlearn.engine.reference import Retraining
    from monai_unlearn.evaluation.predictors.predictor import Change

NARROW = 0.6
"""A network of half the width has about a quarter of the weights, and half at most; with more it was not halved."""
BUDGET = 0.05
"""The share of retraining's gradient evaluations that retraining the last blocks takes, at least `MIN_STEPS` steps."""
MIN_STEPS = 60


class Shifted(nn.Module):
    """A network with a constant added to its logits.

    Args:
        network: The network.
        by: What is added, shape (class,).
    """

    def __init__(self, network: nn.Module, by: Tensor) -> None:
        super().__init__()
        self.by: Tensor
        self.network = network
        self.register_buffer("by", by)

    def forward(self, images: Tensor) -> Tensor:
        """Return the moved logits, shape (batch, class)."""
        logits: Tensor = self.network(images)
        return logits + self.by.to(logits)


@dataclass(kw_only=True)
class ProxyWorkshop:
    """Makes the proxies of a run.

    Args:
        original: The network to revise, with its weights; it is not changed.
        data: The images of the run.
        remain: The remain part's training images.
        retraining: How the bundle is trained.
        checkpoint: The original weights.
        record: Their training record; empty where there is none.
        checkpoints: Where trained proxies are saved until the run is over.
        device: Where to compute.
        first_seed: The seed of the first proxy of each predictor; the others follow.
    """

    original: nn.Module
    data: CohortData
    remain: Dataset[Any]
    retraining: Retraining
    checkpoint: Path
    record: Mapping[str, Any]
    checkpoints: Checkpoints
    device: torch.device
    first_seed: int

    def shifted(self, name: str, by: Mapping[str, float]) -> Proxy:
        """Return the original with its logits moved by so much per class; a class without a number keeps its own."""
        moved = torch.tensor([by.get(one, 0.0) for one in self.data.class_names])
        return Proxy(name=name, predictor=name, network=Shifted(copy.deepcopy(self.original), moved).to(self.device))

    def trained(self, name: str, change: Change, *, seeds: int) -> list[Proxy]:
        """Train a changed network on the remain part from scratch, by training's recipe, under so many seeds.

        Raises:
            ConfigError: The network cannot be changed, or there is no recipe to train by.
        """
        retraining = self.retraining.as_recorded(self.record, self.checkpoint.with_name(RECORD))
        changed = changed_definition(retraining, change)
        retraining = replace(retraining, overrides={**retraining.overrides, "network_def": changed})
        network = self._built(retraining, changed)
        price = relative_cost(network, self.original, self._image)
        return [self._trained(name, retraining, copy.deepcopy(network), seed, price) for seed in self._seeds(seeds)]

    def _trained(self, name: str, retraining: Retraining, network: nn.Module, seed: int, price: float) -> Proxy:
        state = f"proxy-{name}-{seed}"
        progress = f"Training a network of half the width, seed {seed}"
        saved = self.checkpoints.latest(state) or self.checkpoints.save(
            state, lambda partial: retraining.run(partial / WEIGHTS, seed=seed, progress=progress)
        )
        record = record_of(saved / WEIGHTS)
        return Proxy(
            name=f"{name}-{seed}",
            predictor=name,
            network=load_weights(network, saved / WEIGHTS),
            seed=seed,
            gradient_evaluations=price * record["gradient_evaluations"],
            seconds=record["seconds"],
        )

    def _built(self, retraining: Retraining, changed: Mapping[str, Any]) -> nn.Module:
        parser = training_config(retraining.configs, retraining.bundle_root, retraining.overrides)
        try:
            network: nn.Module = parser.get_parsed_content("network_def").to(self.device)
            with_head_of(network, self.original)
            network.eval()
            with torch.no_grad():
                logits = network(self._image[None])
        except Exception as error:  # whatever a constructor raises, MONAI wraps
            raise _not_narrowed(changed, type(error).__name__) from error
        if weights(network) > NARROW * weights(self.original) or logits.shape[-1] != len(self.data.class_names):
            share = weights(network) / weights(self.original)
            raise _not_narrowed(changed, f"{100 * share:.0f} % of its weights are left")
        return network

    def tuned(self, name: str, *, blocks: int, seeds: int) -> list[Proxy]:
        """Retrain the head and the blocks before it on cached features of the original, under so many seeds.

        Training's optimiser, loss and peak rate, without its augmentation, for `BUDGET` of retraining's cost.

        Raises:
            ConfigError: The network is no chain of so many blocks, or a layer cannot be initialised afresh.
        """
        tail = Tail(self.original, self._image, blocks=blocks)
        feature = features_of(self.original, tail.names[0], self._image[None])[0]
        price = flops(tail, feature) / max(flops(self.original, self._image), 1)
        batch = min(Reset.steps.remain_batch_size, _size(self.remain))
        steps = self._steps(price, batch)
        started = time.perf_counter()
        images = Subset(self.remain, chosen_rows(_size(self.remain), steps * batch, seed=self.first_seed).tolist())
        features, labels = cached(self.original, tail.names[0], images, device=self.device)
        shared = Proxy(
            name=name,
            predictor=name,
            network=self.original,
            gradient_evaluations=FORWARD_PASS * (1 - price) * len(labels) / seeds + price * steps * batch,
            seconds=(time.perf_counter() - started) / seeds,
        )
        return [self._tuned(shared, tail, (features, labels), seed, steps, batch) for seed in self._seeds(seeds)]

    def _tuned(
        self, shared: Proxy, tail: Tail, cache: tuple[Tensor, Tensor], seed: int, steps: int, batch: int
    ) -> Proxy:
        started = time.perf_counter()
        tail.reset(seed=seed)
        # Training's own steps, as the method `reset` takes them.
        method, training = Reset(), self._training(tail)
        train_tail(
            tail,
            *cache,
            loss=training.loss(method),
            optimizer=training.optimizer(method, training.learning_rate(method)),
            how=TailSteps(steps=steps, batch_size=batch, warm_up=method.steps.warm_up, seed=seed),
        )
        return replace(
            shared,
            name=f"{shared.name}-{seed}",
            network=tail.into(self.original),
            seed=seed,
            seconds=shared.seconds + time.perf_counter() - started,
        )

    def _seeds(self, count: int) -> range:
        return range(self.first_seed, self.first_seed + count)

    def _training(self, network: nn.Module) -> TrainingSteps:
        return TrainingSteps(
            configs=self.retraining.configs,
            bundle_root=self.retraining.bundle_root,
            checkpoint=str(self.checkpoint),
            data=self.data,
            network=network,
            device=str(self.device),
            overrides=self.retraining.overrides,
            head=head_of(self.original).kind,
        )

    def _steps(self, price: float, batch: int) -> int:
        """Return how many steps of a tail cost `BUDGET` of retraining on the remain part."""
        gradients, images = self.record.get("gradient_evaluations"), self.record.get("images")
        if not isinstance(gradients, int) or not images or not price:
            return MIN_STEPS
        affordable = BUDGET * gradients * _size(self.remain) / images / (price * batch)
        return max(MIN_STEPS, int(affordable))

    @cached_property
    def _image(self) -> Tensor:
        """An input of the network; its shape is all that counts."""
        return torch.zeros_like(torch.as_tensor(self.remain[0]["image"]), device=self.device)


def changed_definition(retraining: Retraining, change: Change) -> dict[str, Any]:
    """Return the `network_def` of a bundle's training config, changed.

    Raises:
        ConfigError: It names no component, or the change does not fit it.
    """
    parser = training_config(retraining.configs, retraining.bundle_root, retraining.overrides)
    defined = parser.config.get("network_def")
    if not isinstance(defined, dict) or "_target_" not in defined:
        raise ConfigError(
            f"predictor: expected network_def in {', '.join(retraining.configs)} as a component with a _target_, whose "
            "widths can be halved. Choose another predictor, such as last_blocks, or retrain."
        )
    plain = {
        name: parser.get_parsed_content(f"network_def::{name}") if name in (*WIDTHS, FACTOR) else value
        for name, value in defined.items()
    }
    return change(plain, parameters_of(defined))


def parameters_of(network_def: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of the constructor of a component with their defaults, None where there is none.

    One that passes on whatever it is given, as `resnet18` does, may take a factor on its widths.
    """
    target = ConfigComponent(dict(network_def), locator=ComponentLocator()).resolve_module_name()
    if isinstance(target, str):
        module, _, attribute = target.rpartition(".")
        target, _ = optional_import(module, name=attribute)
    found = inspect.signature(target).parameters.values()
    named = {
        one.name: None if one.default is one.empty else one.default
        for one in found
        if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
    }
    passes_on = any(one.kind is one.VAR_KEYWORD for one in found)
    return {**({FACTOR: 1.0} if passes_on else {}), **named}


def weights(network: nn.Module) -> int:
    """Return how many weights a network has."""
    return int(sum(one.numel() for one in network.parameters()))


def _not_narrowed(changed: Mapping[str, Any], why: str) -> ConfigError:
    return ConfigError(
        f"predictor: half_width could not halve the widths of network_def, {changed.get('_target_')} ({why}). Choose "
        "another predictor, such as last_blocks, or retrain."
    )


def _size(images: Dataset[Any]) -> int:
    count: int = len(images)  # type: ignore[arg-type]  # torch's Dataset has no __len__
    return count
