"""Does a step of the engine cost at most 1.2 times the processor time of a plain PyTorch loop?

    OMP_NUM_THREADS=1 python benchmarks/step_speed.py

All train the same network by the same optimiser on batches of the same size. `engine` is `UnlearnTrainer` on a
`PairedLoader`, with the augmentation of the bundle's train.yaml; `plain` is a loop over torch's own loader with the
same augmentation, and the one that counts. `lean` is a loop over tensors in memory whose augmentation is written anew
for whole batches: what could be had if no transform of MONAI's had to be supported. `before` is the engine with
MONAI's own `Dataset`, which tracks the metadata of every augmented image. The loops take turns in one process, the
ratio of each round is within the round, and the median over the rounds counts.
"""

from __future__ import annotations

import itertools
import math
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import monai.data
import torch
from benchmark_options import parser_of
from monai.bundle import ConfigParser
from results_file import ROOT, facts, write
from torch import Tensor
from torch.nn.functional import affine_grid, cross_entropy, grid_sample
from torch.utils.data import DataLoader

from monai_unlearn.data import AugmentedDataset, PairedLoader
from monai_unlearn.engine import UnlearnTrainer
from monai_unlearn.methods import FineTune, MethodContext, PixelSpace

if TYPE_CHECKING:
    from collections.abc import Callable

AT_MOST = 1.2
IMAGES, CLASSES, RATE = 512, 3, 0.002


@dataclass(frozen=True, kw_only=True)
class Case:
    """A network with its images.

    Attributes:
        bundle: The bundle whose network and augmentation it has.
        shape: Channels, height and width of an image.
        augmented: What the lean loop does to a batch.
        network: Settings of the network that differ from the bundle's.
    """

    bundle: str
    shape: tuple[int, int, int]
    augmented: Callable[[Tensor], Tensor]
    network: dict[str, Any] | None = None

    def config(self) -> ConfigParser:
        """Return the bundle's training config, ready to build network and augmentation."""
        parser = ConfigParser()
        folder = ROOT / "bundles" / self.bundle / "configs"
        parser.read_config(str(folder / "train.yaml"))
        parser.read_meta(str(folder / "metadata.json"))
        parser.update({"class_names": [str(number) for number in range(CLASSES)], "device": "cpu"})
        for name, value in (self.network or {}).items():
            parser.set(value, f"network_def::{name}")
        return parser


def flipped_along_an_axis(images: Tensor) -> Tensor:
    """Flip half of the images along one of their axes, as RandAxisFlip does."""
    flip, axis = torch.rand(len(images)) < 0.5, torch.randint(2, (len(images),))
    for number in range(2):
        rows = flip & (axis == number)
        images[rows] = images[rows].flip(2 + number)
    return images


def moved_and_lit(images: Tensor) -> Tensor:
    """Flip, move, tilt, scale and brighten, as the oculoplastic bundle does."""
    count = len(images)
    flip = torch.rand(count) < 0.5
    images[flip] = images[flip].flip(3)
    angle, scale = (torch.rand(2, count) * 2 - 1) * torch.tensor([[0.05], [0.06]])
    shift = (torch.rand(2, count) * 2 - 1) * torch.tensor([[2 * 5 / images.shape[3]], [2 * 3 / images.shape[2]]])
    cos, sin = angle.cos() * (1 + scale), angle.sin() * (1 + scale)
    theta = torch.stack([torch.stack([cos, -sin, shift[0]], 1), torch.stack([sin, cos, shift[1]], 1)], 1)
    moved = torch.rand(count) < 0.8
    grid = affine_grid(theta[moved], list(images[moved].shape), align_corners=False)
    images[moved] = grid_sample(images[moved], grid, padding_mode="border", align_corners=False)
    lit = torch.rand(count) < 0.8
    images[lit] *= 1 + (torch.rand(int(lit.sum()), images.shape[1], 1, 1) * 2 - 1) * 0.15
    return images


CASES = {
    "fundus_classifier": Case(bundle="fundus_classifier", shape=(3, 64, 64), augmented=flipped_along_an_axis),
    "mri_classifier": Case(bundle="mri_classifier", shape=(1, 80, 80), augmented=flipped_along_an_axis),
    "oculoplastic_classifier": Case(bundle="oculoplastic_classifier", shape=(3, 64, 160), augmented=moved_and_lit),
    # The networks and images of small trials, where what is done beside the network shows most.
    "small": Case(
        bundle="fundus_classifier",
        shape=(3, 48, 48),
        augmented=flipped_along_an_axis,
        network={"block_inplanes": [8, 16, 32, 64], "conv1_t_size": 3},
    ),
}


def engine_loop(case: Case, dataset: type[Any], *, steps: int, batch_size: int) -> float:
    """Return the processor seconds of the engine's steps."""
    config = case.config()
    network, augmentation = (config.get_parsed_content(name) for name in ("network_def", "train::preprocessing"))
    items = [{"image": image, "label": row % CLASSES, "row": row} for row, image in enumerate(images_of(case))]
    method = FineTune()
    space = PixelSpace(mean=(0.0,), std=(1.0,))
    loader = PairedLoader(
        forget=items[:16], remain=dataset(items, augmentation), batch_size=1, remain_batch_size=batch_size
    )
    method.prepare(
        MethodContext(
            network=network,
            forget=items[:16],
            remain=loader.data["remain"],
            pixel_space=space,
            device=torch.device("cpu"),
            seed=0,
        )
    )
    trainer = UnlearnTrainer(
        device="cpu",
        network=network,
        optimizer=torch.optim.AdamW(network.parameters(), lr=RATE),
        method=method,
        train_data_loader=loader,
        steps=steps,
    )
    started = time.process_time()
    trainer.run()
    return time.process_time() - started


def plain_loop(case: Case, *, steps: int, batch_size: int) -> float:
    """Return the processor seconds of the steps of a loop that does nothing else, with the bundle's augmentation."""
    config = case.config()
    network, augmentation = (config.get_parsed_content(name) for name in ("network_def", "train::preprocessing"))
    network.train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE)
    items = [{"image": image, "label": row % CLASSES, "row": row} for row, image in enumerate(images_of(case))]
    loader = DataLoader(AugmentedDataset(items, augmentation), batch_size=batch_size, shuffle=True, drop_last=True)
    started = time.process_time()
    for batch in itertools.islice(itertools.chain.from_iterable(itertools.repeat(loader)), steps):
        optimizer.zero_grad(set_to_none=True)
        cross_entropy(network(batch["image"]), batch["label"]).backward()
        optimizer.step()
    return time.process_time() - started


def lean_loop(case: Case, *, steps: int, batch_size: int) -> float:
    """Return the processor seconds of the steps of a loop with augmentation written for whole batches."""
    network = case.config().get_parsed_content("network_def").train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE)
    images, labels = images_of(case), torch.arange(IMAGES) % CLASSES
    started = time.process_time()
    for _ in range(steps):
        rows = torch.randint(IMAGES, (batch_size,))
        optimizer.zero_grad(set_to_none=True)
        cross_entropy(network(case.augmented(images[rows])), labels[rows]).backward()
        optimizer.step()
    return time.process_time() - started


def images_of(case: Case) -> Tensor:
    """Return the images, the same at every call."""
    return torch.randn((IMAGES, *case.shape), generator=torch.Generator().manual_seed(0))


def measure(case: Case, *, rounds: int, steps: int, batch_size: int) -> dict[str, Any]:
    """Let the loops take turns; return milliseconds of processor time an image, and ratios."""
    loops = {
        "plain": lambda: plain_loop(case, steps=steps, batch_size=batch_size),
        "lean": lambda: lean_loop(case, steps=steps, batch_size=batch_size),
        "engine": lambda: engine_loop(case, AugmentedDataset, steps=steps, batch_size=batch_size),
        "before": lambda: engine_loop(case, monai.data.Dataset, steps=steps, batch_size=batch_size),
    }
    for loop in loops.values():  # the first steps allocate
        loop()
    found: dict[str, list[float]] = {name: [] for name in loops}
    for number in range(rounds):
        names = [*loops][number % len(loops) :] + [*loops][: number % len(loops)]
        for name in names:
            found[name].append(loops[name]() * 1000 / steps / batch_size)
    pairs = {"plain": ("engine", "plain"), "lean": ("engine", "lean"), "before": ("before", "plain")}
    ratios = {
        name: [one / other for one, other in zip(found[first], found[second], strict=True)]
        for name, (first, second) in pairs.items()
    }
    weights = sum(weight.numel() for weight in case.config().get_parsed_content("network_def").parameters())
    return {
        "weights": weights,
        "pixels": math.prod(case.shape[1:]),
        "milliseconds_an_image": {name: round(statistics.median(values), 3) for name, values in found.items()},
        "engine_to_plain": round(statistics.median(ratios["plain"]), 3),
        "engine_to_lean": round(statistics.median(ratios["lean"]), 3),
        "before_to_plain": round(statistics.median(ratios["before"]), 3),
        "rounds": [round(one, 3) for one in ratios["plain"]],
    }


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch_size", type=int, default=16)
    options = parser.parse_args()
    torch.set_num_threads(1)
    settings = {"rounds": options.rounds, "steps": options.steps, "batch_size": options.batch_size}
    found = {}
    for name, case in CASES.items():
        found[name] = measure(case, **settings)
        print(f"{name}: {found[name]}", flush=True)
    worst = max(one["engine_to_plain"] for one in found.values())
    document = {
        "facts": facts("monai-unlearn", "torch", "monai", settings=settings, threads=1),
        "at_most": AT_MOST,
        "worst": worst,
        "cases": found,
    }
    write(document, "step_speed", options.results)
    print(f"{worst} times a plain loop, at most {AT_MOST} wanted")


if __name__ == "__main__":
    main()
