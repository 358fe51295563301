"""Does the verdict call retrained networks equivalent, and others not? On real networks, with no method chosen by it.

    python benchmarks/leave_one_out.py                             # the cohort of the fundus demo, five seeds
    python benchmarks/leave_one_out.py --patients 200 --epochs 3   # to try it out

The demo's cohort is forgotten by retraining under several seeds. Each retrained network is judged against the others
as if it were a revised one: where seeds agree and there are patients enough it should come out equivalent, and hardly
ever different. Networks that are wrong by construction are judged against all of them, and must never be equivalent:

- `no-op`: the original, unchanged;
- `almost a no-op`: the original after a change of its weights by a millionth, so that its outputs are others;
- `random weights`: a network that was never trained;
- `swap`: the first retrained network, with the two classes exchanged on forget images that none of these is labelled
  as, so that its accuracy is what it was to the last image, and each class is predicted about as often;
- `boundary_shrink`: Chen et al. 2023, as the published PSG code runs it, in train mode on forget images.
"""

from __future__ import annotations

import copy
import time
import warnings
from collections import Counter
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import torch
from benchmark_options import parser_of
from cohort_verdicts import BOUNDARY_SHRINK
from demo_cohorts import ORIGINAL, Bench, of_the_demo, shown
from results_file import facts, write

from monai_unlearn.evaluation import Predictions, predict_subsets
from monai_unlearn.evaluation.decision import decide, leave_one_out
from monai_unlearn.release import load_weights

if TYPE_CHECKING:
    from monai_unlearn.evaluation import SubsetPredictions

NAME = "leave_one_out"
BUNDLE = "fundus_classifier"


def wrong(bench: Bench, models: dict[str, SubsetPredictions], seeds: int) -> dict[str, SubsetPredictions]:
    """Return what networks predict that are wrong by construction."""
    network = load_weights(bench.network, bench.checkpoint(ORIGINAL))
    shaken, blank = copy.deepcopy(network), copy.deepcopy(network)
    with torch.no_grad():
        for weight in shaken.parameters():
            weight.mul_(1 + 1e-6)
    torch.manual_seed(0)
    for module in blank.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    return {
        "no-op": models[ORIGINAL],
        "almost a no-op": predict_subsets(shaken, bench.subsets),
        "random weights": predict_subsets(blank, bench.subsets),
        "swap": swapped(models["reference-1"]),
        "boundary_shrink": bench.revised("published", seeds, *BOUNDARY_SHRINK),
    }


def swapped(predictions: SubsetPredictions) -> SubsetPredictions:
    """Return predictions with two classes exchanged on forget images: the last two that most of these do not have."""
    counts = torch.bincount(
        predictions["forget", "train"].labels, minlength=predictions["forget", "train"].logits.shape[1]
    )
    first, second = counts.argsort(stable=True)[:2].tolist()
    order = list(range(len(counts)))
    order[first], order[second] = second, first
    return {
        (part, split): Predictions(logits=one.logits[:, order] if part == "forget" else one.logits, labels=one.labels)
        for (part, split), one in predictions.items()
    }


def main() -> None:
    parser = parser_of(__doc__, work=NAME)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--patients", type=int, help="instead of those of the demo")
    parser.add_argument("--epochs", type=int, help="instead of those of the demo")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    options.work.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    given = {name: value for name in ("patients", "epochs") if (value := getattr(options, name))}
    bench = Bench(BUNDLE, replace(of_the_demo(BUNDLE), **given), options.work)
    decision = bench.decision()
    records, models = bench.train(options.seeds)
    faulty = wrong(bench, models, options.seeds)
    retrained = leave_one_out(decision, bench.table(models, ORIGINAL))
    judged = {name: decide(decision, bench.table({**models, name: one}, name)) for name, one in faulty.items()}
    document = {
        "facts": facts("monai-unlearn", "monai", "torch"),
        "bundle": BUNDLE,
        **asdict(bench.candidate),
        "decision": decision.to_dict(),
        "patients_by_class": bench.patients(),
        "retrained": {name: shown(outcome) for name, outcome in retrained.items()},
        "verdicts_of_retrained": dict(Counter(outcome.verdict.value for outcome in retrained.values())),
        "wrong": {name: shown(outcome) for name, outcome in judged.items()},
        "training": {
            name: {key: record[key] for key in ("gradient_evaluations", "cpu_seconds")}
            for name, record in records.items()
        },
        "seconds": round(time.perf_counter() - started),
    }
    write(document, NAME, options.results)
    for name, outcome in {**retrained, **judged}.items():
        print(f"{name}: {outcome.line}")


if __name__ == "__main__":
    main()
