"""Steps as training takes them: its rate, optimiser, loss and augmentation, for the methods that ask for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import cross_entropy

from monai_unlearn.data import AugmentedDataset
from monai_unlearn.engine.config_values import build_from_config
from monai_unlearn.engine.head import head_of, loss_of_classes
from monai_unlearn.engine.recipe import as_recorded, training_config
from monai_unlearn.engine.training_record import RECORD, record_of
from monai_unlearn.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from monai.bundle import ConfigParser
    from torch import Tensor, nn
    from torch.optim import Optimizer
    from torch.utils.data import Dataset

    from monai_unlearn.data import CohortData
    from monai_unlearn.methods import Method


@dataclass(kw_only=True)
class TrainingSteps:
    """What the steps of a method take over from training, as `Method.steps` asks.

    Everything comes from the bundle's training config, with the settings of the training record of the weights: the
    ids `learning_rate`, `train::optimizer`, `train::loss` and `train::preprocessing`. Nothing is read before a method
    asks for it.

    Args:
        configs: The bundle's training config, then its overlays; relative paths start at its `configs/`.
        bundle_root: The bundle.
        checkpoint: The original weights, whose record says how they were trained.
        data: The images of the run; the loss may weight classes by how many of them remain.
        network: The network to revise.
        device: Where it is.
        overrides: Settings of the training config that the run replaces.
        rate_factor: Multiplies the rate that a method asks for, above 0; a rehearsal tries several.
        head: What the network gives out; see `Head.kind`. None for what it is presented with.
        budget: The share of retraining's gradients that the run takes, which a method may set its rate by; None for
            none.
    """

    configs: Sequence[str]
    bundle_root: str
    checkpoint: str
    data: CohortData
    network: nn.Module
    device: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    rate_factor: float = 1.0
    head: str | None = None
    budget: object = None

    def __post_init__(self) -> None:
        if not self.rate_factor > 0:
            raise ConfigError(f"training: expected a rate_factor above 0, got {self.rate_factor}.")

    @classmethod
    def from_config(cls, **given: Any) -> TrainingSteps:  # noqa: ANN401 - whatever the fields take
        """Build it inside a bundle run; what is not given comes from the config, as in `Revision.from_config`."""
        return build_from_config(cls, given)

    def learning_rate(self, method: Method) -> float:
        """Return the peak rate of a method's steps: its multiple of training's rate, times `rate_factor`.

        Raises:
            ConfigError: The training config has no `learning_rate`, or is not that of the training record.
        """
        # What is no share is refused where the steps are counted.
        share = self.budget if isinstance(self.budget, (int, float)) else None
        return self.rate_factor * method.peak_rate(share) * float(self._content("learning_rate"))

    def optimizer(self, method: Method, learning_rate: float) -> Optimizer:
        """Return training's optimiser over the network's weights, or Adam.

        Args:
            method: The method that asks.
            learning_rate: The rate of all its groups.

        Raises:
            ConfigError: As `learning_rate`, about `train::optimizer`.
        """
        if not method.steps.as_training:
            return torch.optim.Adam(self.network.parameters(), lr=learning_rate)
        optimizer: Optimizer = self._content("train::optimizer")
        for group in optimizer.param_groups:
            group["lr"] = learning_rate
        return optimizer

    def loss(self, method: Method) -> Callable[[Tensor, Tensor], Tensor]:
        """Return training's loss, which weights the classes as they are among the remain images, or the cross entropy.

        It takes the logits of classes, whatever the head of the network is; see `loss_of_classes`.

        Raises:
            ConfigError: As `learning_rate`, about `train::loss`.
        """
        if not method.steps.as_training:
            return cross_entropy
        loss: Callable[[Tensor, Tensor], Tensor] = self._content("train::loss")
        return loss_of_classes(loss, self.head or head_of(self.network).kind)

    def images(self, method: Method, images: Dataset[Any]) -> Dataset[Any]:
        """Return images with training's augmentation, drawn anew for each batch, or as they are."""
        if not method.steps.as_training or "train::preprocessing" not in self._parser:
            return images
        augmented: Dataset[Any] = AugmentedDataset(data=images, transform=self._content("train::preprocessing"))
        return augmented

    @cached_property
    def _parser(self) -> ConfigParser:
        record, path = record_of(Path(self.checkpoint)), Path(self.checkpoint).with_name(RECORD)
        overrides = self.overrides
        if record:  # weights without one have no recipe but that of the config
            overrides = as_recorded(
                record, path, configs=self.configs, bundle_root=self.bundle_root, overrides=overrides
            )
        parser = training_config(self.configs, self.bundle_root, overrides)
        run = {"data": self.data, "network": self.network, "device": str(self.device), "parts": ["remain"]}
        parser.update({**run, "class_names": list(self.data.names)})
        return parser

    def _content(self, name: str) -> Any:  # noqa: ANN401 - whatever the config defines
        if name not in self._parser:
            raise ConfigError(
                f"the method takes steps as training does, but {', '.join(self.configs)} defines no '{name}'. "
                "Name it so, or choose another method."
            )
        return self._parser.get_parsed_content(name)
