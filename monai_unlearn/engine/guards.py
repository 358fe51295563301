"""What is looked at before a run begins, so that it does not break in the middle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from monai_unlearn.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn
    from torch.utils.data import Dataset

    from monai_unlearn.data import CohortData


def check_fits(
    network: nn.Module,
    *,
    data: CohortData,
    subsets: Mapping[tuple[str, str], Dataset[Any]],
    device: str | torch.device,
) -> None:
    """Refuse parts, labels and a network that do not fit one another.

    Args:
        network: The network, on the device.
        data: The cohort's images and the classes.
        subsets: Their pictures by (part, split).
        device: Where to compute.

    Raises:
        DataError: A part has no training image, or a label is no class.
        ConfigError: The network cannot read a picture, or has other outputs than there are classes.
    """
    for part in ("forget", "remain"):
        if not len(subsets[part, "train"]):  # type: ignore[arg-type]  # torch's Dataset does not declare __len__
            raise DataError(f"the {part} part has no training image: nothing to unlearn from.")
    labels = data.frame["class_index"]
    if labels.min() < 0 or labels.max() >= len(data.class_names):
        raise DataError(
            f"a label is class number {labels.max() if labels.min() >= 0 else labels.min()}; there are "
            f"{len(data.class_names)} classes, {', '.join(data.class_names)}."
        )
    outputs = _outputs(network, subsets["forget", "train"][0]["image"], device)
    expected = (1, len(data.class_names))
    if outputs != expected:
        raise ConfigError(
            f"network_def: expected outputs of shape {expected} for one picture, a logit for each of the classes "
            f"{', '.join(data.class_names)}, got {outputs}. Make network_def and class_names agree."
        )


def _outputs(network: nn.Module, image: Any, device: str | torch.device) -> tuple[int, ...]:  # noqa: ANN401 - array or tensor
    """Return the shape of what the network makes of one picture; its mode is put back afterwards."""
    training = network.training
    picture = torch.as_tensor(image)[None]
    try:
        with torch.inference_mode():
            return tuple(network.eval()(picture.to(device)).shape)
    except RuntimeError as error:
        raise ConfigError(
            f"network_def: the network cannot read a picture of shape {tuple(picture.shape[1:])} (channel, then "
            f"space): {str(error).splitlines()[0]}. Make network_def, image_size and preprocessing agree."
        ) from error
    finally:
        network.train(training)
