"""Checks on data, network and weights that stop a run before or while it is made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from monai_unlearn.engine.head import SOFTMAX, head_of, outputs_in_words
from monai_unlearn.errors import ConfigError, DataError, TrainingError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn
    from torch.utils.data import Dataset

    from monai_unlearn.cohort import Cohort
    from monai_unlearn.data import CohortData


def check_fits(
    network: nn.Module,
    *,
    data: CohortData,
    subsets: Mapping[tuple[str, str], Dataset[Any]],
    device: str | torch.device,
) -> None:
    """Refuse parts, labels and a network that do not fit together.

    Args:
        network: The network, on the device.
        data: The cohort's images and the classes.
        subsets: The images by (part, split).
        device: Where to compute.

    Raises:
        DataError: A part has no training image, or a label is not a class.
        ConfigError: The network cannot process an image, or its outputs are not one logit per class.
    """
    for part in ("forget", "remain"):
        if not len(subsets[part, "train"]):  # type: ignore[arg-type]  # torch's Dataset does not declare __len__
            raise DataError(f"the {part} part has no training image: nothing to unlearn from.")
    labels = data.frame["class_index"]
    if labels.min() < 0 or labels.max() >= len(data.class_names):
        raise DataError(
            f"a label is class number {labels.max() if labels.min() >= 0 else labels.min()}; there are "
            f"{len(data.class_names)} classes, {', '.join(data.names)}."
        )
    outputs = _outputs(network, subsets["forget", "train"][0]["image"], device)
    expected = (1, len(data.class_names))
    if outputs != expected:
        head = head_of(network).kind
        hint = " A network with one logit for two classes needs head: sigmoid." if _is_one_logit(outputs, head) else ""
        raise ConfigError(
            f"network_def: expected outputs of shape {outputs_in_words(expected, head)} for one image, as head: {head} "
            f"asks for the classes {', '.join(data.names)}, got {outputs_in_words(outputs, head)}. "
            f"Make network_def, head and class_names agree.{hint}"
        )


def check_labels(batch: Mapping[str, Mapping[str, Any]], *, classes: int | None, step: int) -> None:
    """Refuse a label that is not a class; on CUDA it would abort the process.

    Args:
        batch: The items by part, with `label` of shape (image,).
        classes: The number of classes; without it, only negative labels are refused.
        step: The number of the step, for the message.

    Raises:
        DataError: There is such a label.
    """
    for part, items in batch.items():
        low, high = int(items["label"].min()), int(items["label"].max())
        if low < 0 or (classes is not None and high >= classes):
            raise DataError(
                f"a {part} image of step {step} has class number {low if low < 0 else high}; the network has classes "
                f"0 to {classes - 1 if classes else 'unknown'}. Labels and class_names disagree."
            )


def check_finite(network: nn.Module) -> None:
    """Refuse weights that are not finite.

    Raises:
        TrainingError: A parameter or buffer holds NaN or infinity; the message names it.
    """
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise TrainingError(f"after unlearning, '{name}' is not finite; no result was written.")


def _outputs(network: nn.Module, image: Any, device: str | torch.device) -> tuple[int, ...]:  # noqa: ANN401 - array or tensor
    """Return the shape of the network's output for one image; the network's mode is restored afterwards."""
    training = network.training
    batch = torch.as_tensor(image)[None]
    try:
        with torch.inference_mode():
            return tuple(network.eval()(batch.to(device)).shape)
    except RuntimeError as error:
        raise ConfigError(
            f"network_def: the network cannot process an image of shape {tuple(batch.shape[1:])} (channel, then "
            f"space): {str(error).splitlines()[0]}. Make network_def, image_size and preprocessing agree."
        ) from error
    finally:
        network.train(training)


def _is_one_logit(outputs: tuple[int, ...], head: str) -> bool:
    return head == SOFTMAX and outputs in {(1,), (1, 1)}


def check_spec_stays(bundle_root: Path, cohort: Cohort) -> None:
    """Refuse a spec within the bundle whose lists or values may name people: the bundle is copied, and travels.

    Raises:
        ConfigError: There is such a spec.
    """
    spec = Path(cohort.spec.source)
    within = spec.is_file() and spec.resolve().is_relative_to(bundle_root.resolve())
    if within and not cohort.passed_on.spec["whole"]:
        raise ConfigError(
            f"{spec} lists values that may name people, but lies within the bundle {bundle_root}, which is copied and "
            "travels. Move the spec and its lists out of the bundle."
        )
