"""The engine that runs a method: a MONAI trainer over paired batches."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from monai.data import MetaTensor
from monai.engines import SupervisedTrainer
from torch import Tensor, nn

from monai_unlearn.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch.optim import Optimizer

    from monai_unlearn.data import PairedLoader
    from monai_unlearn.methods import Method


class UnlearnTrainer(SupervisedTrainer):
    """Runs one iterative method over a `PairedLoader`, a step a batch.

    It is a MONAI trainer: handlers of MONAI and Ignite attach to it, `--tracking mlflow` sees it, and
    `state.output` holds `loss`. The method must have been prepared. On CUDA the step runs under automatic
    mixed precision in channels-last memory; on the CPU in float32, where neither is sure to gain.

    Args:
        device: Where to compute.
        max_epochs: Passes over the forget images.
        train_data_loader: The paired batches.
        network: The network to revise, on the device, with logits of shape (batch, class).
        optimizer: Its optimiser.
        method: The unlearning method.
        train_handlers: MONAI handlers.
        amp: Mixed precision; by default where the device is CUDA.
    """

    def __init__(
        self,
        *,
        device: str | torch.device,
        max_epochs: int,
        train_data_loader: PairedLoader,
        network: nn.Module,
        optimizer: Optimizer,
        method: Method,
        train_handlers: Sequence[Any] | None = None,
        amp: bool | None = None,
    ) -> None:
        on_cuda = torch.device(device).type == "cuda"
        super().__init__(
            device=torch.device(device),
            max_epochs=max_epochs,
            train_data_loader=train_data_loader,
            network=network.to(memory_format=torch.channels_last) if on_cuda else network,  # type: ignore[call-overload]  # torch's stubs lack it
            optimizer=optimizer,
            loss_function=method.loss,
            train_handlers=train_handlers,
            amp=on_cuda if amp is None else amp,
            decollate=False,
        )
        self.method = method
        self.images_seen = 0

    def _iteration(self, engine: Any, batchdata: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401, ARG002 - MONAI's signature
        """Take one step; the parent class makes this Ignite's process function."""
        batch = {part: self._to_device(items) for part, items in batchdata.items()}
        self.method.set_mode()
        self.optimizer.zero_grad(set_to_none=True)
        # bfloat16 keeps float32's range, so that no gradient needs scaling.
        with torch.autocast(self.state.device.type, dtype=torch.bfloat16, enabled=self.amp):
            loss = self.method.loss(batch)
        value = loss.item()
        if not math.isfinite(value):
            raise TrainingError(
                f"the loss is {value} at step {self.state.iteration}; nothing was written. A smaller learning rate "
                "(--learning_rate) or remain_weight usually mends this."
            )
        loss.backward()  # type: ignore[no-untyped-call]  # torch's stubs lack it
        self.optimizer.step()
        self.images_seen += sum(len(batch[part]["image"]) for part in self.method.parts)
        return {"loss": value}

    def _to_device(self, items: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key: _plain(value).to(self.state.device) if isinstance(value, Tensor) else value
            for key, value in items.items()
        }


def _plain(value: Tensor) -> Tensor:
    """Drop MONAI's metadata, whose bookkeeping costs more than a small network's step."""
    return value.as_tensor() if isinstance(value, MetaTensor) else value


def check_finite(network: nn.Module) -> None:
    """Refuse weights that are not finite.

    Raises:
        TrainingError: A parameter or buffer holds NaN or infinity; named.
    """
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise TrainingError(f"after unlearning, '{name}' is not finite; nothing was written.")
