"""Does PSG forget in the weights, keep the rest, and cost a small share of retraining?

    python benchmarks/psg_quality.py brain_mri --work build/psg
    python benchmarks/psg_quality.py cifar10 --work build/psg
    python benchmarks/psg_quality.py report --work build/psg

Every network is measured as it is and recalibrated: its BatchNorm statistics re-estimated on remain training images.
The table compares the original, the network retrained without the class (one per seed: their spread is the noise
floor), the BatchNorm-only control (forget batches in train mode, no update), boundary_shrink (Chen et al. 2023, run as
in the published PSG code), fine-tuning on remain, and PSG. Fine-tuning and PSG get 2, 5, 10 and 20 % of the
retraining's gradient evaluations, search counted, and once more with 5 % of the remain images. Test images are not used
to choose settings: all are constants below, the same for every data set, class and seed. Finished runs are kept in
--work.
"""

from __future__ import annotations

import copy
import io
import json
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from benchmark_options import data_folder, parser_of
from PIL import Image
from psg_tables import BUDGETS, FEW, TUNE_RATES, quality_page, summary
from results_file import facts, write
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset, Subset

from monai_unlearn.data import PairedLoader
from monai_unlearn.engine import UnlearnTrainer
from monai_unlearn.evaluation import predict, recalibrated
from monai_unlearn.methods import PSG, FineTune, Method, MethodContext, PixelSpace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SEEDS = (0, 1, 2)
MEAN, STD = 0.5, 0.25

# PSG as the bundles set it; the learning rate is a share of the peak rate that the network was trained with.
PSG_SETTINGS: dict[str, Any] = {
    "epsilon": 0.1,
    "bisection_steps": 8,
    "labels": "soft",
    "unflipped": "runner_up",
    "search_images": 64,
    "remain_weight": 10.0,
    "batch_norm": "mixed",
}
FORGET_BATCH, REMAIN_BATCH = 4, 60
PSG_RATE = 1 / 2
CLIP = 20.0


@dataclass(frozen=True)
class Task:
    """A data set, how its network is trained, and the classes that are forgotten one at a time.

    Images are normalised, shape (image, channel, height, width). For the classes in `thorough` the first seed also runs
    boundary_shrink, and the methods with few remain images.
    """

    name: str
    classes: tuple[str, ...]
    train: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    forget: tuple[int, ...]
    thorough: tuple[int, ...]
    epochs: int
    rate: float
    scaled: str


class Items(Dataset[Any]):
    """Images with labels, mirrored at random where wanted; the global generator draws, and every run seeds it."""

    def __init__(self, images: Tensor, labels: Tensor, *, flip: bool = False) -> None:
        self.images, self.labels, self.flip = images, labels, flip

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int) -> dict[str, Any]:
        image = self.images[row]
        if self.flip and torch.rand(()) < 0.5:
            image = image.flip(-1)
        return {"image": image, "label": int(self.labels[row]), "row": row}


def convolutions(*widths: tuple[int, int, int], last: int = 3) -> list[nn.Module]:
    """Return convolution, BatchNorm, ReLU for each (channels in, channels out, stride)."""
    sizes = [3] * (len(widths) - 1) + [last]
    return [
        layer
        for (before, after, stride), size in zip(widths, sizes, strict=True)
        for layer in (nn.Conv2d(before, after, size, stride, size // 2, bias=False), nn.BatchNorm2d(after), nn.ReLU())
    ]


def network_of(task: str, classes: int) -> nn.Module:
    """Return a six-convolution network for brain MRI, and a narrow All-CNN (Springenberg et al. 2015) for CIFAR-10."""
    if task.startswith("brain_mri"):
        body = convolutions((1, 16, 1), (16, 16, 2), (16, 32, 1), (32, 32, 2), (32, 64, 1), (64, 64, 2))
        width = 64
    else:
        first = convolutions((3, 24, 1), (24, 24, 1), (24, 24, 2))
        second = convolutions((24, 48, 1), (48, 48, 1), (48, 48, 2))
        third = convolutions((48, 48, 1), (48, 48, 1), last=1)
        body, width = [*first, nn.Dropout(0.5), *second, nn.Dropout(0.5), *third], 48
    return nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))


def brain_mri(data: Path, size: int = 48, *, name: str = "brain_mri", epochs: int = 8) -> Task:
    folder = data / "brain_mri"
    names = tuple(sorted(path.name for path in (folder / "train").iterdir()))

    def read(split: str) -> tuple[Tensor, Tensor]:
        files = [
            (path, number) for number, name in enumerate(names) for path in sorted((folder / split / name).iterdir())
        ]
        images = [Image.open(path).convert("L").resize((size, size), Image.Resampling.BOX) for path, _ in files]
        return normalised(np.stack([np.asarray(image)[None] for image in images])), torch.tensor(
            [number for _, number in files]
        )

    scaled = f"{size} px instead of 512, six convolutions instead of ResNet-50, {epochs} epochs"
    return Task(name, names, read("train"), read("test"), (0, 1, 2, 3), (0, 1), epochs=epochs, rate=3e-3, scaled=scaled)


def brain_mri_longer(data: Path) -> Task:
    """Return the same task, trained until the original is as accurate on remain as the retrained network."""
    return brain_mri(data, name="brain_mri_longer", epochs=20)


def cifar10(data: Path, each: int = 600) -> Task:
    import pandas as pd

    table = pd.read_parquet(data / "cifar10" / "cifar10_jpeg.parquet")
    # In the order of CIFAR-10's own numbers, which is that of the alphabet.
    names = tuple(sorted(table["label"].unique()))

    def read(split: str, count: int) -> tuple[Tensor, Tensor]:
        rows = table[table["split"] == split].groupby("label").head(count)
        images = [np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB")).transpose(2, 0, 1) for jpeg in rows["jpeg"]]
        return normalised(np.stack(images)), torch.tensor([names.index(name) for name in rows["label"]])

    scaled = f"All-CNN of a quarter of the width, {each} training images a class instead of 5,000, AdamW instead of SGD"
    return Task(
        "cifar10", names, read("train", each), read("test", 400), (0, 3), (0,), epochs=15, rate=5e-3, scaled=scaled
    )


TASKS = {"brain_mri": brain_mri, "brain_mri_longer": brain_mri_longer, "cifar10": cifar10}


def normalised(pixels: np.ndarray) -> Tensor:
    return (torch.from_numpy(pixels).float() / 255 - MEAN) / STD


def train(task: Task, keep: Tensor, seed: int) -> tuple[nn.Module, dict[str, float]]:
    """Train from scratch on some training images; return the network, its gradient evaluations and seconds."""
    torch.manual_seed(seed)
    network = network_of(task.name, len(task.classes))
    images, labels = (values[keep] for values in task.train)
    batches = -(-len(labels) // 64)
    optimizer = torch.optim.AdamW(network.parameters(), lr=task.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, task.rate, total_steps=task.epochs * batches)
    started, spent = time.perf_counter(), time.process_time()
    network.train()
    for _ in range(task.epochs):
        for rows in torch.randperm(len(labels)).split(64):
            batch = torch.where(torch.rand(len(rows), 1, 1, 1) < 0.5, images[rows].flip(-1), images[rows])
            optimizer.zero_grad(set_to_none=True)
            cross_entropy(network(batch), labels[rows]).backward()
            optimizer.step()
            schedule.step()
    return network, {"gradients": task.epochs * len(labels), **clocks(started, spent)}


def clocks(started: float, spent: float) -> dict[str, float]:
    """Return wall seconds and processor seconds; other work on the machine hardly changes the latter."""
    return {"seconds": time.perf_counter() - started, "processor_seconds": time.process_time() - spent}


@dataclass
class Run:
    """One class to forget under one seed: the images by part, the original, and the cost of retraining."""

    task: Task
    wanted: int
    seed: int
    original: nn.Module
    retraining: dict[str, float]

    def __post_init__(self) -> None:
        images, labels = self.task.train
        forget = labels == self.wanted
        self.forget = Items(images[forget], labels[forget], flip=True)
        self.remain = Items(images[~forget], labels[~forget], flip=True)

    def measure(self, network: nn.Module, remain: Items | None = None) -> dict[str, dict[str, float]]:
        """Return accuracies in percent, as the network is and recalibrated on remain images."""
        finished = self.recalibrated(network, remain)
        return {"as_is": self._accuracies(network), "recalibrated": self._accuracies(finished)}

    def recalibrated(self, network: nn.Module, remain: Items | None = None) -> nn.Module:
        kept = remain or self.remain
        return recalibrated(network, Items(kept.images, kept.labels))

    def _accuracies(self, network: nn.Module) -> dict[str, float]:
        images, labels = self.task.test
        right = predict(network, Items(images, labels)).correct.float()
        forget = labels == self.wanted
        return {"forget": 100 * float(right[forget].mean()), "remain": 100 * float(right[~forget].mean())}

    def revise(
        self,
        method: Method,
        *,
        budget: float,
        rate: float,
        remain: Items | None = None,
        batches: tuple[int, int] = (FORGET_BATCH, REMAIN_BATCH),
        clip: float | None = CLIP,
    ) -> dict[str, Any]:
        """Run a method for a share of retraining's gradient evaluations, preparation counted."""
        torch.manual_seed(self.seed)
        network = copy.deepcopy(self.original)
        started, spent = time.perf_counter(), time.process_time()
        plain = Items(self.forget.images, self.forget.labels)
        space = PixelSpace(mean=(MEAN,) * plain.images.shape[1], std=(STD,) * plain.images.shape[1])
        method.prepare(
            MethodContext(network=network, forget=plain, pixel_space=space, device=torch.device("cpu"), seed=self.seed)
        )
        tune = isinstance(method, FineTune)
        batch, remain_batch = (1, 64) if tune else batches
        used = range(len(plain)) if tune else method.used_rows.tolist()
        left = budget * self.retraining["gradients"] - method.gradient_evaluations
        steps = max(1, int(left // (remain_batch if tune else batch + remain_batch)))
        peak = rate * self.task.rate
        trainer = UnlearnTrainer(
            device="cpu",
            train_data_loader=PairedLoader(
                forget=Subset(self.forget, used),
                remain=remain or self.remain,
                batch_size=batch,
                remain_batch_size=remain_batch,
                seed=self.seed,
            ),
            network=network,
            optimizer=torch.optim.AdamW(network.parameters(), lr=peak, weight_decay=0.01),
            method=method,
            phases=[{"name": "forget", "steps": steps, "learning_rate": peak, "decay": "cosine"}],
            max_gradient_norm=None if tune else clip,
        )
        trainer.run()
        finished = self.recalibrated(network, remain)
        took = clocks(started, spent)
        return {
            "as_is": self._accuracies(network),
            "recalibrated": self._accuracies(finished),
            "steps": steps,
            "gradients": trainer.state.images_seen + method.gradient_evaluations,
            **took,
        }

    def boundary_shrink(self) -> dict[str, Any]:
        """Run boundary_shrink: SGD with a learning rate of 1e-5, ten passes, forget images alone."""
        torch.manual_seed(self.seed)
        network, plain = copy.deepcopy(self.original), Items(self.forget.images, self.forget.labels)
        channels = plain.images.shape[1]
        method = PSG(preset="boundary_shrink")
        space = PixelSpace(mean=(MEAN,) * channels, std=(STD,) * channels)
        started, spent = time.perf_counter(), time.process_time()
        context = MethodContext(
            network=network, forget=plain, pixel_space=space, device=torch.device("cpu"), seed=self.seed
        )
        method.prepare(context)
        loader = PairedLoader(forget=plain, remain=self.remain, batch_size=64, remain_batch_size=1, seed=self.seed)
        trainer = UnlearnTrainer(
            device="cpu",
            train_data_loader=loader,
            network=network,
            optimizer=torch.optim.SGD(network.parameters(), lr=1e-5, momentum=0.9),
            method=method,
            max_epochs=10,
        )
        trainer.run()
        took = clocks(started, spent)
        found = {**self.measure(network), "gradients": trainer.state.images_seen + method.gradient_evaluations}
        return {**found, **took}

    def control(self) -> dict[str, Any]:
        """Show the network one pass of forget batches in train mode, without any update."""
        network = copy.deepcopy(self.original).train()
        with torch.no_grad():
            for rows in torch.arange(len(self.forget)).split(64):
                network(self.forget.images[rows])
        return self.measure(network.eval())

    def few(self) -> Items:
        """Return 5 % of the remain images, drawn by the seed."""
        count = round(FEW * len(self.remain))
        rows = torch.randperm(len(self.remain), generator=torch.Generator().manual_seed(self.seed))[:count]
        return Items(self.remain.images[rows], self.remain.labels[rows], flip=True)


def compute(task: Task, wanted: int, seed: int, work: Path) -> dict[str, Any]:
    everything = torch.ones(len(task.train[1]), dtype=torch.bool)
    original, _ = cached(work / f"{task.name}-{seed}.pt", lambda: train(task, everything, seed), task)
    reference, cost = cached(
        work / f"{task.name}-{seed}-{wanted}.pt", lambda: train(task, task.train[1] != wanted, seed), task
    )
    run = Run(task, wanted, seed, original, cost)
    found: dict[str, Any] = {
        "original": run.measure(original),
        "retrained": {**run.measure(reference), **cost},
        "batchnorm_only": run.control(),
    }
    thorough = seed == 0 and wanted in task.thorough
    if thorough:
        found["boundary_shrink"] = run.boundary_shrink()
    rows = remaining(run, thorough=thorough)
    for name, (budget, remain) in rows.items():
        for rate in TUNE_RATES:
            tune = run.revise(FineTune(batch_norm="mixed"), budget=budget, rate=rate, remain=remain)
            found[f"finetune {name} rate {rate:.2f}"] = tune
    return {**found, **with_psg(run, rows)}


def remaining(run: Run, *, thorough: bool) -> dict[str, tuple[float, Items | None]]:
    """Return budget and remain images of each row of the curves, by its name."""
    kept = {"all": None, "few": run.few()} if thorough else {"all": None}
    return {f"{budget:.0%} {name}": (budget, remain) for name, remain in kept.items() for budget in BUDGETS}


def with_psg(run: Run, rows: dict[str, tuple[float, Items | None]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        f"psg {name}": run.revise(PSG(**PSG_SETTINGS), budget=budget, rate=PSG_RATE, remain=remain)
        for name, (budget, remain) in rows.items()
    }
    return {**found, "psg_settings": settings()}


def settings() -> dict[str, Any]:
    """Return the settings that PSG's rows depend on."""
    return {**PSG_SETTINGS, "rate": PSG_RATE, "batches": [FORGET_BATCH, REMAIN_BATCH], "clip": CLIP}


def refreshed(found: dict[str, Any], task: Task, work: Path) -> dict[str, Any]:
    """Run PSG again where it ran with other settings; nothing else depends on them."""
    wanted, seed = task.classes.index(found["class"]), found["seed"]
    original, _ = cached(work / f"{task.name}-{seed}.pt", unmade, task)
    _, cost = cached(work / f"{task.name}-{seed}-{wanted}.pt", unmade, task)
    run = Run(task, wanted, seed, original, cost)
    others = {key: value for key, value in found.items() if not key.startswith("psg")}
    return {**others, **with_psg(run, remaining(run, thorough="boundary_shrink" in found))}


def unmade() -> tuple[nn.Module, dict[str, float]]:
    sys.exit("the networks of a finished run are missing: delete its JSON file in --work")


def cached(
    path: Path, make: Callable[[], tuple[nn.Module, dict[str, float]]], task: Task
) -> tuple[nn.Module, dict[str, float]]:
    if not path.exists():
        network, cost = make()
        torch.save({"weights": network.state_dict(), "cost": cost}, path)
    saved = torch.load(path, weights_only=True)
    network = network_of(task.name, len(task.classes))
    network.load_state_dict(saved["weights"])
    return network.eval(), saved["cost"]


def measure(task: Task, work: Path, seeds: list[int]) -> None:
    work.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        for wanted in task.forget:
            path = work / f"{task.name}-{seed}-{wanted}.json"
            document = json.loads(path.read_text()) if path.exists() else {}
            if document.get("psg_settings") == settings():
                continue
            document = refreshed(document, task, work) if document else compute(task, wanted, seed, work)
            names = {"task": task.name, "scaled": task.scaled, "class": task.classes[wanted], "seed": seed}
            document = {**document, **names}
            path.with_suffix(".part").write_text(json.dumps(document), encoding="utf-8")
            path.with_suffix(".part").rename(path)
            print(f"{task.name}, seed {seed}, forget {task.classes[wanted]}: done", file=sys.stderr, flush=True)


def report(work: Path, results: Path) -> None:
    runs = [json.loads(path.read_text()) for path in sorted(work.glob("*-*-*.json"))]
    stale = [f"{run['task']} {run['class']} {run['seed']}" for run in runs if run.get("psg_settings") != settings()]
    if stale:
        sys.exit(f"runs with other settings of PSG: {', '.join(stale)}; run these tasks again")
    document: dict[str, Any] = {
        "facts": facts("monai-unlearn", "torch", "monai", "numpy", threads=torch.get_num_threads()),
        "settings": settings(),
        "tasks": {},
    }
    for name in dict.fromkeys(run["task"] for run in runs):
        mine = [run for run in runs if run["task"] == name]
        document["tasks"][name] = {
            "scaled": mine[0]["scaled"],
            "classes": {
                wanted: summary([run for run in mine if run["class"] == wanted])
                for wanted in dict.fromkeys(run["class"] for run in mine)
            },
        }
    write(document, "psg_quality", results)
    page = quality_page(document)
    (results / "psg_quality.md").write_text(page, encoding="utf-8")
    print(page)


def main() -> None:
    parser = parser_of(__doc__, work="psg", data=True)
    parser.add_argument("what", choices=[*TASKS, "report"])
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.what == "report":
        report(options.work, options.results)
    else:
        measure(TASKS[options.what](data_folder(options)), options.work, options.seeds)


if __name__ == "__main__":
    main()
