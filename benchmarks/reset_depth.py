"""Where do resets of each depth land, and does `depth: auto` choose one that lands where retrained networks land?

    OMP_NUM_THREADS=1 python benchmarks/reset_depth.py

4,000 training images of CIFAR-10 at 16 px, a small residual network of five blocks, twelve passes, two retrained
networks a cohort, 10 % of retraining's gradients. Beside the resets `shrink_perturb`, which takes a share from every
layer. Cohorts: a quarter of the images through a camera that inverts them and swaps channels, for ten classes and for
two (animal, vehicle); through a camera that dims and tints them; a tenth at random, as patients who withdraw; half of a
class; a class. The settings of `depth_choice` were chosen on these cohorts, with other seeds: another set of images
must confirm them.

`distance` is the mean divergence of the retrained networks from the revised one over that among themselves, once one
temperature has made the revised network as sure as they are: 1 is as near as they are to each other. `recall` is the
share of correct predictions, `retrained` theirs, all in the parts forget train, forget test and remain test.
"""

from __future__ import annotations

import copy
import io
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from benchmark_options import data_folder, parser_of
from monai.networks.nets import ResNet
from PIL import Image
from results_file import facts, read, write
from scipy.optimize import brentq
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset

from monai_unlearn.methods import MethodContext, PixelSpace
from monai_unlearn.methods.depth import modules_within
from monai_unlearn.methods.depth_choice import choose_depth
from monai_unlearn.methods.fresh_weights import initialised_afresh
from monai_unlearn.methods.shrink_perturb import ShrinkPerturb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

TRAINED, TESTED, PIXELS, EPOCHS, RETRAINED, BUDGET = 4000, 3000, 16, 12, 2, 0.1
SETTINGS = {"trained": TRAINED, "pixels": PIXELS, "epochs": EPOCHS, "retrained": RETRAINED, "budget": BUDGET}
NAME = "reset_depth"
DEPTHS = ("finetune", "head", "last_block", 2, 3, 4, "all")
# The shares of the original's weights that `shrink_perturb` keeps, beside the depths of `reset`.
KEPT = {"shrink 0.6": 0.6, "shrink 0.4": 0.4}
CHOICES = 3  # seeds of the choice
VEHICLES = ("airplane", "automobile", "ship", "truck")
# Each cohort: its share or class, what its camera does, and whether there are two classes.
COHORTS: dict[str, dict[str, Any]] = {
    "inverting_camera": {"share": 0.25, "camera": lambda x: 1 - x[:, [1, 2, 0]]},
    "inverting_camera_two_classes": {"share": 0.25, "camera": lambda x: 1 - x[:, [1, 2, 0]], "two": True},
    "dim_camera": {"share": 0.25, "camera": lambda x: x * torch.tensor([0.7, 0.8, 0.95]).view(1, 3, 1, 1) + 0.03},
    "patients": {"share": 0.1},
    "half_of_a_class": {"share": 0.5, "of": 3},
    "a_class": {"share": 1.0, "of": 3},
}


class Part(Dataset[Any]):
    """Images in memory, as items; values are normalised to [-2, 2]."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int) -> dict[str, Any]:
        return {"image": self.images[row], "label": int(self.labels[row]), "row": row}


def pixels_of(jpeg: bytes) -> np.ndarray[Any, Any]:
    image = Image.open(io.BytesIO(jpeg)).convert("RGB").resize((PIXELS, PIXELS), Image.Resampling.BOX)
    return np.asarray(image, np.float32).transpose(2, 0, 1) / 255


def parts_of(data: Path, cohort: Mapping[str, Any]) -> dict[str, Part]:
    """Return forget and remain images, to train and to test."""
    table = pd.read_parquet(data / "cifar10" / "cifar10_jpeg.parquet")
    names = sorted(table["label"].unique())
    random, found = np.random.default_rng(0), {}
    for split, count in (("train", TRAINED), ("test", TESTED)):
        rows = table[table["split"] == split].sample(count, random_state=0)
        images = torch.from_numpy(np.stack([pixels_of(jpeg) for jpeg in rows["jpeg"]]))
        labels = np.array([names.index(name) for name in rows["label"]])
        forget = (random.random(count) < cohort["share"]) & (labels == cohort.get("of", labels))
        if cohort.get("two"):
            labels = np.array([int(name not in VEHICLES) for name in rows["label"]])
        mask = torch.from_numpy(forget)
        if "camera" in cohort:
            images[mask] = cohort["camera"](images[mask])
        for part, chosen in (("forget", mask), ("remain", ~mask)):
            found[f"{part}_{split}"] = Part((images[chosen] - 0.5) / 0.25, torch.from_numpy(labels)[chosen])
    return found


def network_of(classes: int, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return ResNet(
        "basic", [1, 1, 1, 1], [8, 16, 32, 64], spatial_dims=2, n_input_channels=3, conv1_t_size=3, conv1_t_stride=1,
        no_max_pool=True, num_classes=classes,
    )  # fmt: skip


def train(network: nn.Module, part: Part, *, batch: int, seed: int, share: float = 1.0) -> nn.Module:
    """Train as the bundles do: AdamW, one cycle, random flips."""
    generator, steps = torch.Generator().manual_seed(seed), int(share * EPOCHS * len(part) / batch)
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps, pct_start=0.1)
    network.train()

    def batches() -> Iterator[Tensor]:
        while True:
            yield from torch.randperm(len(part), generator=generator)[: len(part) // batch * batch].split(batch)

    for rows in itertools.islice(batches(), steps):
        flipped = (torch.rand(batch, generator=generator) < 0.5).view(-1, 1, 1, 1)
        images = torch.where(flipped, part.images[rows].flip(3), part.images[rows])
        optimizer.zero_grad()
        cross_entropy(network(images), part.labels[rows]).backward()
        optimizer.step()
        schedule.step()
    return network.eval()


@torch.no_grad()
def logits_of(network: nn.Module, part: Part) -> Tensor:
    return torch.cat([network(images) for images in part.images.split(256)])


def entropy(logits: Tensor) -> float:
    return float(-(logits.softmax(1) * logits.log_softmax(1)).sum(1).mean())


def as_sure(logits: Tensor, wanted: float) -> Tensor:
    """Return logits at the temperature at which their mean entropy is the wanted one."""

    def excess(log_temperature: float) -> float:
        return entropy(logits / np.exp(log_temperature)) - wanted

    return logits / np.exp(brentq(excess, np.log(0.02), np.log(50), xtol=1e-6))


def divergence(first: Tensor, second: Tensor) -> float:
    return float((first.softmax(1) * (first.log_softmax(1) - second.log_softmax(1))).sum(1).mean())


def score(network: nn.Module, parts: Mapping[str, Part], retrained: Mapping[str, list[Tensor]]) -> dict[str, Any]:
    found = {}
    for name, theirs in retrained.items():
        logits = logits_of(network, parts[name])
        alike = as_sure(logits, float(np.mean([entropy(one) for one in theirs])))
        pairs = itertools.permutations(theirs, 2)
        floor = np.mean([divergence(one, as_sure(other, entropy(one))) for one, other in pairs])
        distance = np.mean([divergence(one, alike) for one in theirs]) / floor
        recall = float((logits.argmax(1) == parts[name].labels).float().mean())
        found[name] = {"distance": round(float(distance), 3), "recall": round(recall, 4)}
    return found


def measure(parts: Mapping[str, Part], *, say: Callable[[str], None]) -> dict[str, Any]:
    """Return the choices of a cohort, and where each depth lands."""
    both = Part(*(torch.cat([getattr(parts[f"{part}_train"], name) for part in ("forget", "remain")])
                  for name in ("images", "labels")))  # fmt: skip
    remain, classes = parts["remain_train"], int(both.labels.max()) + 1
    original = train(network_of(classes, 0), both, batch=32, seed=0)
    networks = [train(network_of(classes, seed), remain, batch=32, seed=seed) for seed in range(1, RETRAINED + 1)]
    judged = ("forget_train", "forget_test", "remain_test")
    retrained = {name: [logits_of(network, parts[name]) for network in networks] for name in judged}
    recall = {
        name: round(float(np.mean([(one.argmax(1) == parts[name].labels).float().mean() for one in theirs])), 4)
        for name, theirs in retrained.items()
    }
    found: dict[str, Any] = {"images": {name: len(part) for name, part in parts.items()}, "retrained": recall}
    found["depths"] = {"original": score(original, parts, retrained)}
    for depth in (*DEPTHS, *KEPT):
        revised = copy.deepcopy(original)
        if depth in KEPT:
            revised.load_state_dict(ShrinkPerturb(kept=KEPT[depth]).start(context_of(original, parts, 7)))
        elif depth != "finetune":
            within = modules_within(revised, depth, remain.images[0])
            revised.load_state_dict(initialised_afresh(revised, within, seed=7))
        revised = train(revised, remain, batch=16, seed=7, share=BUDGET)
        found["depths"][str(depth)] = score(revised, parts, retrained)
        say(f"{depth}: {found['depths'][str(depth)]}")
    found["choices"] = [choice_of(original, parts, seed) for seed in range(CHOICES)]
    say(str([one["depth"] for one in found["choices"]]))
    return found


def context_of(original: nn.Module, parts: Mapping[str, Part], seed: int) -> MethodContext:
    return MethodContext(
        network=original,
        forget=parts["forget_train"],
        remain=parts["remain_train"],
        pixel_space=PixelSpace(mean=(0.5,) * 3, std=(0.25,) * 3),
        device=torch.device("cpu"),
        seed=seed,
    )


def choice_of(original: nn.Module, parts: Mapping[str, Part], seed: int) -> dict[str, Any]:
    chosen = choose_depth(context_of(original, parts, seed)).to_dict()
    rounded = [{name: value and round(value, 3) for name, value in block.items()} for block in chosen["blocks"]]
    return {"seed": seed, **chosen, "blocks": rounded}


def main() -> None:
    parser = parser_of(__doc__, data=True)
    parser.add_argument("--cohorts", nargs="*", default=list(COHORTS), choices=COHORTS)
    options = parser.parse_args()
    data = data_folder(options)
    for name in options.cohorts:
        print(name, flush=True)
        found = measure(parts_of(data, COHORTS[name]), say=lambda text: print(" ", text, flush=True))
        # Other cohorts stay as they were measured, so that one can be measured again by itself.
        kept = read(NAME, options.results)["cohorts"] if (options.results / f"{NAME}.json").is_file() else {}
        cohorts = {one: {**kept, name: found}[one] for one in COHORTS if one in {*kept, name}}
        write(
            {"facts": facts("monai-unlearn", "monai", "torch", "scikit-learn"), **SETTINGS, "cohorts": cohorts},
            NAME,
            options.results,
        )


if __name__ == "__main__":
    main()
