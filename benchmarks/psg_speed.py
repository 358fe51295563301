"""How much faster is PSG here than the published code's loop, for the same labels and passes over the forget set?

    python benchmarks/psg_speed.py

Both revise the same narrow All-CNN, take ten passes over the same forget images in batches of 64 with SGD at 1e-5, and
train on the same labels; the script counts how many agree. The loop of the published code (boundary_shrink) searches
at every step, in float32. Runs take turns in one process; ratios are medians over the turns, of processor time, which
other work on the machine hardly changes, and of wall time. A second table varies the forget set and the archive: the
cost follows the first and not the second.
"""

from __future__ import annotations

import copy
import statistics
import time
from typing import TYPE_CHECKING, Any

import torch
from benchmark_options import data_folder, parser_of
from psg_quality import TASKS, Items, cached, network_of, train
from results_file import facts, write

from monai_unlearn.data import PairedLoader
from monai_unlearn.engine import UnlearnTrainer
from monai_unlearn.methods import PSG, PUBLISHED, Method, MethodContext, PixelSpace

if TYPE_CHECKING:
    from torch import nn

SAME = {
    "epsilon": 0.1,
    "steps": 1,
    "bisection_steps": 0,
    "labels": "hard",
    "unflipped": "keep",
    "remain_weight": 0.0,
    "batch_norm": "frozen",
}


def run(original: nn.Module, method: Method, forget: Items, remain: Items, passes: int) -> dict[str, float]:
    """Revise a copy of a network; return seconds of processor and clock."""
    torch.manual_seed(0)
    network = copy.deepcopy(original)
    space = PixelSpace(mean=(0.5,) * 3, std=(0.25,) * 3)
    clock, processor = time.perf_counter(), time.process_time()
    context = MethodContext(network=network, forget=forget, pixel_space=space, device=torch.device("cpu"), seed=0)
    method.prepare(context)
    searched = time.perf_counter() - clock
    trainer = UnlearnTrainer(
        device="cpu",
        train_data_loader=PairedLoader(
            forget=forget, remain=remain, batch_size=PUBLISHED.batch_size, remain_batch_size=1, seed=0
        ),
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), lr=PUBLISHED.learning_rate, momentum=PUBLISHED.momentum),
        method=method,
        max_epochs=passes,
    )
    trainer.run()
    return {
        "clock": time.perf_counter() - clock,
        "processor": time.process_time() - processor,
        "before_first_step": searched,
        "updates": trainer.state.images_seen,
        "searched": method.gradient_evaluations,
    }


def labels_agree(original: nn.Module, forget: Items) -> dict[str, Any]:
    """Count the forget images for which both find the same label."""
    space = PixelSpace(mean=(0.5,) * 3, std=(0.25,) * 3)
    ours, theirs = PSG(**SAME), PSG(preset="boundary_shrink")
    for method in (ours, theirs):
        method.prepare(
            MethodContext(
                network=copy.deepcopy(original), forget=forget, pixel_space=space, device=torch.device("cpu"), seed=0
            )
        )
    rows = torch.arange(len(forget))
    reference = theirs.search(forget.images, forget.labels, rows)
    same = int((ours.targets[rows] == reference).sum())
    return {"images": len(forget), "same": same, "searched_in": ours.finder.precision}


def take_turns(original: nn.Module, forget: Items, remain: Items, count: int) -> dict[str, list[dict[str, float]]]:
    """Run both loops one after the other, so many times."""
    turns: dict[str, list[dict[str, float]]] = {"boundary_shrink": [], "here": [], "here, float32": []}
    for _ in range(count):
        turns["boundary_shrink"].append(run(original, PSG(preset="boundary_shrink"), forget, remain, PUBLISHED.passes))
        turns["here"].append(run(original, PSG(**SAME), forget, remain, PUBLISHED.passes))
        slow = PSG(**SAME, search_precision="float32")
        turns["here, float32"].append(run(original, slow, forget, remain, PUBLISHED.passes))
    return turns


def times_faster(turns: dict[str, list[dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Return the median ratios to boundary_shrink, turn by turn."""

    def ratio(found: list[dict[str, float]], what: str) -> float:
        pairs = zip(turns["boundary_shrink"], found, strict=True)
        return round(statistics.median(slow[what] / fast[what] for slow, fast in pairs), 2)

    others = {name: found for name, found in turns.items() if name != "boundary_shrink"}
    return {name: {what: ratio(found, what) for what in ("processor", "clock")} for name, found in others.items()}


def growth_of(original: nn.Module, forget: Items, remain: Items) -> list[dict[str, Any]]:
    """Return the cost of a run by the sizes of both parts."""
    growth = []
    for forgotten, archive in ((150, 1350), (300, 1350), (600, 1350), (300, 2700), (300, 5400)):
        some, kept = (
            Items(forget.images[:forgotten], forget.labels[:forgotten]),
            Items(remain.images[:archive], remain.labels[:archive]),
        )
        found = [run(original, PSG(**SAME), some, kept, 2) for _ in range(3)]
        growth.append(
            {
                "forget": forgotten,
                "remain": archive,
                "processor": round(statistics.median(one["processor"] for one in found), 3),
                "updates": found[0]["updates"],
            }
        )
        print(growth[-1])
    return growth


def main() -> None:
    parser = parser_of(__doc__, work="psg", data=True)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    task = TASKS["cifar10"](data_folder(options))
    everything = torch.ones(len(task.train[1]), dtype=torch.bool)
    original, _ = cached(options.work / "cifar10-0.pt", lambda: train(task, everything, 0), task)
    images, labels = task.train
    is_forget = labels == 0
    forget, remain = Items(images[is_forget], labels[is_forget]), Items(images[~is_forget], labels[~is_forget])
    agreement = labels_agree(original, forget)
    print(f"labels: {agreement}")
    turns = take_turns(original, forget, remain, options.turns)
    ratios = times_faster(turns)
    for name, ratio in ratios.items():
        print(f"{name}: {ratio['processor']:.2f} times faster by processor time, {ratio['clock']:.2f} by the clock")
    growth = growth_of(original, forget, remain)
    document = {
        "facts": facts("monai-unlearn", "torch", "monai", threads=torch.get_num_threads(), gpu="not measured"),
        "network": type(network_of("cifar10", 10)).__name__ + ", " + task.scaled,
        "labels": agreement,
        "passes": PUBLISHED.passes,
        "turns": turns,
        "times_faster": ratios,
        "growth": growth,
    }
    write(document, "psg_speed", options.results)


if __name__ == "__main__":
    main()
