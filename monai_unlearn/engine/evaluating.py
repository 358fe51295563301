"""Evaluates networks on every part and split; on its own, a bundle's weights on an index."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.data.read_once import read_rows
from monai_unlearn.engine.head import as_classifier, check_head
from monai_unlearn.engine.report import accuracy_report
from monai_unlearn.engine.shared_predictions import SharedPredictions
from monai_unlearn.engine.trained_pixels import check_trained_pixels
from monai_unlearn.engine.training_record import record_of
from monai_unlearn.errors import ConfigError, check_choice
from monai_unlearn.evaluation import has_running_statistics, metrics_table, predict_subsets, recalibrated
from monai_unlearn.evaluation.label_states import states
from monai_unlearn.release import load_weights, weights_digest
from monai_unlearn.staging import write_json
from monai_unlearn.terminal import escaping_console

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch
    from torch import nn
    from torch.utils.data import Dataset

    from monai_unlearn.data import CohortData
    from monai_unlearn.evaluation import SubsetPredictions


def predict_models(
    networks: Mapping[str, nn.Module],
    subsets: Mapping[tuple[str, str], Dataset[Any]],
    *,
    device: str | torch.device,
    healthy: Sequence[int] = (),
    labels_of: int = 0,
    shared: SharedPredictions | None = None,
) -> dict[str, SubsetPredictions]:
    """Return each network's predictions by (part, split), without validation subsets that hold no image.

    Args:
        networks: The networks by name, on the device.
        subsets: The images by (part, split).
        device: Where to compute.
        healthy: The numbers of the classes that mean no disease.
        labels_of: How many labels an image may have; see `predict`.
        shared: What other runs of an experiment predicted already, if it shares that.
    """
    shared = shared or SharedPredictions()
    shown = {
        subset: images
        for subset, images in subsets.items()
        if subset[1] != "validation" or len(images)  # type: ignore[arg-type]  # torch's Dataset has no __len__
    }
    for images in shown.values():
        read_rows(images)  # with a progress bar: the steps may not have drawn them
    return {
        name: shared.predict_subsets(network, shown, device=device, healthy=tuple(healthy), labels_of=labels_of)
        for name, network in networks.items()
    }


def evaluate(
    *,
    network: nn.Module,
    checkpoint: str | Path,
    data: CohortData,
    subsets: Mapping[tuple[str, str], Dataset[Any]],
    device: str = "cpu",
    healthy_classes: Sequence[str] = (),
    output_file: str | Path | None = None,
) -> dict[str, Any]:
    """Measure a network on every part and split by every metric, with the recalibrated control beside it.

    Args:
        network: The bundle's network, on the device; one with another head than softmax is presented by
            `as_classifier`.
        checkpoint: Its weights.
        data: The images.
        subsets: The images by (part, split).
        device: Where to compute.
        healthy_classes: The classes that mean no disease, for sensitivity and specificity, which have no value without.
        output_file: The JSON file to write the result to, if any.

    Raises:
        ConfigError: The weights do not fit the network, there is no image, or a healthy class is not a class.
        DataError: An image has other pixels than those that the weights were trained on.
    """
    check_head(as_classifier(network), data.class_names, data.labels)
    class_names = states(data.labels) or data.class_names
    healthy = _numbers(healthy_classes, class_names)
    check_trained_pixels(Path(checkpoint), record_of(Path(checkpoint)), data)
    load_weights(network, checkpoint)
    for images in subsets.values():
        read_rows(images)
    networks = {"weights": network}
    remain = subsets.get(("remain", "train"))
    if has_running_statistics(network) and remain is not None and len(remain):  # type: ignore[arg-type]  # no __len__
        networks["recalibrated"] = recalibrated(network, remain, device=device)
    models = {
        name: metrics_table(
            predict_subsets(model, subsets, device=device, healthy=healthy, labels_of=len(data.labels)), class_names
        )
        for name, model in networks.items()
    }
    if not any(subset["n"] for splits in models["weights"].values() for subset in splits.values()):
        raise ConfigError(
            "there is no image to evaluate in these parts and splits. Check cohort_spec and split, and the index."
        )
    result = {
        "schema_version": 1,
        "weights_digest": weights_digest(network.state_dict()),
        "index_digest": data.index_digest,
        "spec_digest": data.cohort.spec.digest if data.cohort else None,
        "healthy_classes": list(healthy_classes),
        "models": models,
    }
    escaping_console(highlight=False).print(accuracy_report("Accuracy in %, 95 % interval", models))
    if output_file:
        Path(output_file).parent.mkdir(parents=True, exist_ok=True)
        write_json(Path(output_file), result)
    return result


def _numbers(healthy_classes: Sequence[str], class_names: Sequence[str]) -> tuple[int, ...]:
    for name in healthy_classes:
        check_choice(name, class_names, name="healthy_classes")
    return tuple(class_names.index(name) for name in healthy_classes)
