"""How many remain images does recalibration need, so that the seed that chooses them moves no accuracy?

    python benchmarks/recalibration_size.py

A run recalibrates BatchNorm on a seeded sample of remain training images. The claim: with a sample of the size of
`SAMPLED` (`monai_unlearn/engine/remain_sample.py`), the accuracies of a network under ten seeds lie within half a point
of each other. A single class moves further, most in a network that is often wrong, as this one is.

On the published split of CIFAR-10 (32 px), of which 10,000 training images are taken, the classifier of the fundus
bundle is trained, then revised as a run does: steps under frozen statistics, after which they no longer fit. `of_all`
is the difference between the highest and the lowest accuracy on the 10,000 test images over the seeds, in points, and
`by_class` the widest such difference of one of the ten classes, each with 1,000 test images.
"""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from benchmark_options import data_folder, parser_of
from monai.networks.nets import ResNet
from PIL import Image
from results_file import facts, write
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset

from monai_unlearn.evaluation import recalibrated

if TYPE_CHECKING:
    from pathlib import Path

SIZES = (64, 128, 256, 512, 1024, 2048, 4096)
SEEDS = 10
# Training images of CIFAR-10 that the network is trained on: enough for this question.
TRAINED = 10_000
EPOCHS = 6
REVISED_STEPS = 60
BATCH = 64


class Images(Dataset[Any]):
    """Images as tensors in memory, as items."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, row: int) -> dict[str, Any]:
        return {"image": self.images[row], "label": int(self.labels[row])}


def pixels_of(opened: Image.Image) -> np.ndarray[Any, Any]:
    """Return an image as the fundus bundle gives it to its network: three channels in [-2, 2]."""
    array = np.asarray(opened.convert("RGB"), np.float32) / 255
    return (array.transpose(2, 0, 1) - 0.5) / 0.25


def cifar10(data: Path) -> dict[str, Images]:
    table = pd.read_parquet(data / "cifar10" / "cifar10_jpeg.parquet")
    numbers = {name: number for number, name in enumerate(sorted(table["label"].unique()))}
    found = {}
    for split in ("train", "test"):
        rows = table[table["split"] == split]
        rows = rows.sample(min(len(rows), TRAINED), random_state=0)
        images = np.stack([pixels_of(Image.open(io.BytesIO(jpeg))) for jpeg in rows["jpeg"]])
        labels = torch.tensor([numbers[name] for name in rows["label"]])
        found[split] = Images(torch.from_numpy(images), labels)
    return found


def network_of(classes: int) -> ResNet:
    return ResNet(
        "basic",
        [1, 1, 1, 1],
        [16, 32, 64, 128],
        spatial_dims=2,
        n_input_channels=3,
        conv1_t_stride=2,
        no_max_pool=True,
        num_classes=classes,
    )


def trained(images: Images) -> nn.Module:
    """Train as the bundle does: AdamW at 0.002, batches of 32, one cycle."""
    torch.manual_seed(0)
    network = network_of(int(images.labels.max()) + 1)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.002)
    steps = EPOCHS * (len(images) // 32)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.002, total_steps=steps)
    for step in range(steps):
        rows = torch.randint(len(images), (32,))
        cross_entropy(network(images.images[rows]), images.labels[rows]).backward()
        optimizer.step()
        optimizer.zero_grad()
        if step < steps - 1:
            schedule.step()
    return network.eval()


def revised(network: nn.Module, images: Images) -> nn.Module:
    """Push the network away from the labels of one class and train on the others, with statistics frozen."""
    torch.manual_seed(0)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.001)
    forget, remain = (images.labels == 0).nonzero()[:, 0], (images.labels != 0).nonzero()[:, 0]
    for _ in range(REVISED_STEPS):
        away, kept = forget[torch.randint(len(forget), (4,))], remain[torch.randint(len(remain), (28,))]
        loss = cross_entropy(network(images.images[kept]), images.labels[kept])
        (loss - 0.1 * cross_entropy(network(images.images[away]), images.labels[away]).clamp(max=5)).backward()
        optimizer.step()
        optimizer.zero_grad()
    return network.eval()


def accuracies(network: nn.Module, images: Images) -> list[float]:
    """Return the accuracy over all images, then that of each class, in points."""
    with torch.inference_mode():
        predicted = torch.cat([network(batch).argmax(1) for batch in images.images.split(500)])
    correct = (predicted == images.labels).double() * 100
    return [float(correct.mean()), *(float(correct[images.labels == label].mean()) for label in images.labels.unique())]


def spread(network: nn.Module, data: dict[str, Images], size: int) -> dict[str, Any]:
    """Recalibrate on samples of so many images under each seed, and compare accuracies."""
    found = []
    for seed in range(SEEDS):
        rows = torch.randperm(len(data["train"]), generator=torch.Generator().manual_seed(seed))[:size]
        sample = Images(data["train"].images[rows], data["train"].labels[rows])
        found.append(accuracies(recalibrated(network, sample, seed=seed), data["test"]))
    widest = np.ptp(np.array(found), axis=0)
    return {
        "images": size,
        "of_all": round(float(widest[0]), 2),
        "by_class": round(float(widest[1:].max()), 2),
        "accuracy": round(float(np.mean([one[0] for one in found])), 2),
    }


def measured(data: dict[str, Images]) -> dict[str, Any]:
    start = time.perf_counter()
    original = trained(data["train"])
    before = accuracies(original, data["test"])[0]
    networks = {"original": original, "revised": revised(trained(data["train"]), data["train"])}
    result = {
        "train_images": len(data["train"]),
        "test_images": len(data["test"]),
        "accuracy_as_trained": round(before, 2),
        **{
            network: [spread(one, data, size) for size in SIZES if size <= len(data["train"])]
            for network, one in networks.items()
        },
        "seconds": round(time.perf_counter() - start, 1),
    }
    print(result, flush=True)
    return result


def main() -> None:
    parser = parser_of(__doc__, data=True)
    options = parser.parse_args()
    found = measured(cifar10(data_folder(options)))
    write(
        {"facts": facts("monai-unlearn", "monai", "torch", "numpy", seeds=SEEDS, batch=BATCH), "cifar10": found},
        "recalibration_size",
        options.results,
    )


if __name__ == "__main__":
    main()
