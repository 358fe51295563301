"""What do images that do not fit into memory cost, and does memory stay flat?

    python benchmarks/images_beyond_memory.py

The claims: a process that holds 100,000 images of 64 px on disk takes no more memory for pixels than one that holds
5,000; after the first pass, batches come at least 0.8 times as fast as from memory; batches are the same bit for bit;
and before the first step, a run decodes of the remain part of an archive only what its steps draw.

Each row of `memory` is a process of its own, on PNG files that the script writes. `grown_mb` is how much its resident
memory, as Linux tells it, grew until all images were read twice; `items_mb`, the share of the table, the items and the
digests of the files, was measured before the first image was decoded. Throughput is of `PairedLoader` alone, without a
network, which is the worst case, and of steps of the fundus bundle's network; both places take turns in one process.
`disk_to_memory` compares medians by the clock, `disk_to_memory_cpu` the processor's time for a batch, which others on
the machine disturb less. `--throughput` measures this part anew and keeps the rest of the committed result.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from benchmark_options import parser_of
from PIL import Image
from results_file import facts, read, write

if TYPE_CHECKING:
    from monai.transforms import Compose
    from torch import nn

    from monai_unlearn.data import CohortData, PairedLoader

SIZES = (5_000, 100_000)
FORGET = 200
COMPARED = 5_000
ROUNDS = 15
STEPS = 30
BATCH = {"batch_size": 4, "remain_batch_size": 28}
TEMPLATES = 64


def write_images(folder: Path, count: int) -> None:
    """Write smooth colour images of 64 px: each has a mark of its own, so that no two files are equal."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    ramps = np.linspace(0, 200, 64)[:, None, None] * random.random((TEMPLATES, 1, 64, 3))
    for row in range(count):
        path = folder / f"{row:06}.png"
        if not path.exists():
            pixels = ramps[row % TEMPLATES].astype(np.uint8)
            pixels[0, :3, 0] = row % 256, row // 256 % 256, row // 65536
            Image.fromarray(pixels).save(path, compress_level=1)


def cohort(folder: Path, count: int, *, forget: int = FORGET) -> CohortData:
    from monai_unlearn.cohort import SplitRule
    from monai_unlearn.data import CohortData
    from monai_unlearn.data.pixel_digest import PixelCheck

    rows = np.arange(count)
    frame = pd.DataFrame(
        {
            "image_id": [f"image-{row:06}" for row in rows],
            "path": [str(folder / f"{row:06}.png") for row in rows],
            "patient": [f"patient-{row:06}" for row in rows],
            "part": np.where(rows < forget, "forget", "remain"),
            "split": "train",
            "label": np.where(rows % 2, "up", "down"),
            "class_index": rows % 2,
        }
    )
    pixels = PixelCheck(pd.DataFrame(index=frame["image_id"]))
    return CohortData(
        frame=frame, class_names=("down", "up"), split_rule=SplitRule(), index_digest="", cohort=None, pixels=pixels
    )


def preprocessing() -> Compose:
    from monai.transforms import Compose, EnsureTyped, NormalizeIntensityd

    from monai_unlearn.data import LoadImage2Dd

    normal = NormalizeIntensityd(keys="image", subtrahend=[0.5] * 3, divisor=[0.25] * 3, channel_wise=True)
    return Compose([LoadImage2Dd(keys="image"), normal, EnsureTyped(keys="image", track_meta=False)])


def opened(data: CohortData, memory: str, scratch: Path) -> dict[tuple[str, str], Any]:
    from monai_unlearn.data import subset_datasets

    return subset_datasets(data=data, transform=preprocessing(), splits=("train",), memory=memory, cache_dir=scratch)


def loader_of(subsets: dict[tuple[str, str], Any]) -> PairedLoader:
    from monai_unlearn.data import PairedLoader

    return PairedLoader(forget=subsets["forget", "train"], remain=subsets["remain", "train"], **BATCH)


def resident() -> int:
    """Return the resident memory of this process, in bytes, without pages that may not be its own."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def grow(folder: Path, scratch: Path, count: int, memory: str) -> dict[str, Any]:
    """Hold so many images, read all of them twice, and tell how the process grew."""
    few = loader_of(opened(cohort(folder, 100, forget=50), memory, scratch))  # what libraries need once
    few.read_drawn(2)
    next(few.batches())
    del few
    before = resident()
    data = cohort(folder, count)
    items = {part: data.items([part], "train") for part in ("forget", "remain")}
    data.pixels.check([*items["forget"], *items["remain"]])
    held, start = resident(), time.perf_counter()
    subsets = opened(data, memory, scratch)
    images = subsets["remain", "train"]
    images.read()
    first = time.perf_counter() - start
    start = time.perf_counter()
    for row in range(len(images)):
        images[row]
    return {
        "images": count,
        "memory": memory,
        "pixels_mb": round(count * 3 * 64 * 64 * 4 / 1e6),
        "items_mb": round((held - before) / 1e6),
        "grown_mb": round((resident() - before) / 1e6),
        "first_pass_s": round(first, 1),
        "second_pass_s": round(time.perf_counter() - start, 1),
    }


def seconds_a_step(loader: PairedLoader, *, network: nn.Module | None = None) -> tuple[float, float]:
    """Return seconds by the clock and of the processor."""
    import torch

    optimizer = torch.optim.Adam(network.parameters()) if network else None
    batches = loader.batches()
    next(batches)
    start = time.perf_counter(), time.process_time()
    for _ in range(STEPS):
        batch = next(batches)
        if network:
            both = torch.cat([batch[part]["image"] for part in ("forget", "remain")])
            network(both).square().mean().backward()
            optimizer.step()
            optimizer.zero_grad()
    return (time.perf_counter() - start[0]) / STEPS, (time.process_time() - start[1]) / STEPS


def compare(folder: Path, scratch: Path, count: int) -> dict[str, Any]:
    """Take turns between memory and disk, and compare the batches."""
    import torch
    from monai.networks.nets import ResNet

    data = cohort(folder, count)
    loaders = {name: loader_of(opened(data, memory, scratch)) for name, memory in (("memory", "100 GB"), ("disk", "0"))}
    for loader in loaders.values():
        loader.data["remain"].read()
    pairs = zip(range(20), *(loader.batches() for loader in loaders.values()), strict=False)
    equal = all(torch.equal(a[part]["image"], b[part]["image"]) for _, a, b in pairs for part in a)
    network = ResNet("basic", [1, 1, 1, 1], [16, 32, 64, 128], spatial_dims=2, n_input_channels=3, num_classes=3)
    found: dict[str, Any] = {"images": count, "batches_equal": equal}
    for name, net in (("loader", None), ("training", network)):
        taken: dict[str, list[tuple[float, float]]] = {place: [] for place in loaders}
        for _ in range(ROUNDS):
            for place, loader in loaders.items():
                taken[place].append(seconds_a_step(loader, network=net))
        clock, cpu = (
            {place: statistics.median(one[which] for one in values) for place, values in taken.items()}
            for which in (0, 1)
        )
        images = sum(BATCH.values())
        found[name] = {f"{place}_images_a_second": round(images / seconds) for place, seconds in clock.items()}
        found[name]["disk_to_memory"] = round(clock["memory"] / clock["disk"], 3)
        found[name]["disk_to_memory_cpu"] = round(cpu["memory"] / cpu["disk"], 3)
    return found


def drawn(folder: Path, scratch: Path, count: int) -> dict[str, Any]:
    """Read what 100 steps draw of an archive."""
    subsets = opened(cohort(folder, count), "0", scratch)
    loader = loader_of(subsets)
    start = time.perf_counter()
    loader.read_drawn(100)
    seconds = time.perf_counter() - start
    remain = subsets["remain", "train"]
    return {
        "remain_images": len(remain),
        "steps": 100,
        "decoded": sum(remain.holds(row) for row in range(len(remain))),
        "seconds": round(seconds, 1),
    }


TASKS = {"grow": grow, "compare": compare, "drawn": drawn}


def measured(task: str, folder: Path, count: int, *more: str) -> dict[str, Any]:
    """Run one task in a process of its own."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        command = [sys.executable, __file__, "--task", task, str(folder), scratch, str(count), *more]
        found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        left = [path.name for path in Path(scratch).iterdir()]
    result = {**json.loads(found.stdout.splitlines()[-1]), "left_on_disk": left}
    print(task, result, flush=True)
    return result


def main() -> None:
    parser = parser_of(__doc__, work="images_beyond_memory")
    parser.add_argument("--task", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--throughput", action="store_true", help="measure this part anew, keep the others")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    options = parser.parse_args()
    if options.task:
        task, folder, scratch, count, *more = options.task
        print(json.dumps(TASKS[task](Path(folder), Path(scratch), int(count), *more)))
        return
    folder = options.work / "images"
    known = facts("monai", "torch", "numpy", forget=FORGET, size=64, batches=BATCH, rounds=ROUNDS, steps=STEPS)
    if options.throughput:
        write_images(folder, COMPARED)
        part = {"facts": known, **measured("compare", folder, COMPARED)}
        write(
            {**read("images_beyond_memory", options.results), "throughput": part},
            "images_beyond_memory",
            options.results,
        )
        return
    write_images(folder, max(*options.sizes, COMPARED))
    write(
        {
            "facts": known,
            "memory": [
                measured("grow", folder, min(options.sizes), "100 GB"),
                *(measured("grow", folder, count, "0") for count in options.sizes),
            ],
            "throughput": measured("compare", folder, COMPARED),
            "drawn": measured("drawn", folder, max(options.sizes)),
        },
        "images_beyond_memory",
        options.results,
    )


if __name__ == "__main__":
    main()
