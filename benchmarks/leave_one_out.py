"""Does the verdict call retrained networks equivalent, and others not? On real networks, with no method tried.

    python benchmarks/leave_one_out.py                             # fundus phantoms, five seeds
    python benchmarks/leave_one_out.py --patients 200 --epochs 3   # to try it out

The demo's cohort is forgotten by retraining under several seeds. Each retrained network is judged against the others
as if it were a revised one: where seeds agree and there are patients enough it should come out equivalent, and hardly
ever different. Networks that are wrong by construction are judged against all of them, and must never be equivalent:

- `no-op`: the original, unchanged;
- `almost a no-op`: the original after a change of its weights by a millionth, so that its outputs are others;
- `random weights`: a network that was never trained;
- `swap`: the first retrained network, on forget images leaning towards the class that is forgotten as far as its
  accuracy on forget and remain test images together stays what it was, to half a point.
"""

from __future__ import annotations

import copy
import time
import warnings
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from benchmark_options import parser_of
from demo_cohorts import BUNDLES, Bench, Candidate, shown
from results_file import facts, write

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.evaluation import Predictions, predict_subsets
from monai_unlearn.evaluation.decision import decide, leave_one_out

if TYPE_CHECKING:
    from monai_unlearn.evaluation import SubsetPredictions

NAME = "leave_one_out"
BUNDLE = "fundus_classifier"
SPEC = BUNDLES / BUNDLE / "docs" / "before-overhaul.yaml"
HALF_A_POINT = 0.005


def trained(bench: Bench, seeds: int) -> tuple[dict[str, SubsetPredictions], dict[str, Any]]:
    """Train the original and the retrained networks; return what each predicts, and what training cost."""
    found, costs = {}, {}
    for seed in range(seeds + 1):
        name = f"reference-{seed}" if seed else "original"
        parts = ["remain"] if seed else ["forget", "remain", "undetermined"]
        record, found[name] = bench.trained(parts, seed)
        costs[name] = {key: record[key] for key in ("gradient_evaluations", "cpu_seconds")}
        if not seed:
            shaken = copy.deepcopy(bench.network)
            with torch.no_grad():
                for weight in shaken.parameters():
                    weight.mul_(1 + 1e-6)
            found["almost a no-op"] = predict_subsets(shaken, bench.subsets)
    torch.manual_seed(0)
    blank = copy.deepcopy(bench.network)
    for module in blank.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    found["random weights"] = predict_subsets(blank, bench.subsets)
    return found, costs


def swapped(predictions: SubsetPredictions) -> SubsetPredictions:
    """Return predictions that lean towards the most frequent forgotten class, at equal accuracy on test images."""
    counts = torch.bincount(predictions["forget", "train"].labels)
    forgotten = int(counts.argmax())
    before = _accuracy(predictions)
    leanings = [_leaning(predictions, forgotten, by) for by in np.linspace(-12, 12, 481)]
    equal = [one for one in leanings if abs(_accuracy(one) - before) <= HALF_A_POINT]
    return max(
        equal, key=lambda one: float((one["forget", "test"].logits - predictions["forget", "test"].logits).abs().max())
    )


def _leaning(predictions: SubsetPredictions, forgotten: int, by: float) -> SubsetPredictions:
    moved = {}
    for subset, found in predictions.items():
        logits = found.logits.clone()
        logits[:, forgotten] += float(by)
        moved[subset] = Predictions(logits=logits, labels=found.labels)
    return moved


def _accuracy(predictions: SubsetPredictions) -> float:
    return float(torch.cat([predictions[part, "test"].correct for part in ("forget", "remain")]).double().mean())


def main() -> None:
    parser = parser_of(__doc__, work=NAME)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--patients", type=int, default=1200)
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    options.work.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    forget = CohortSpec.read(SPEC).forget.render()
    bench = Bench(BUNDLE, Candidate(patients=options.patients, forget=forget, epochs=options.epochs), options.work)
    decision = bench.decision()
    models, costs = trained(bench, options.seeds)
    models["swap"] = swapped(models["reference-1"])
    retrained = leave_one_out(decision, bench.table(models, "almost a no-op"))
    wrong = {
        name: decide(decision, bench.table(models, name))
        for name in ("original", "almost a no-op", "random weights", "swap")
    }
    document = {
        "facts": facts("monai-unlearn", "monai", "torch"),
        "bundle": BUNDLE,
        "spec": SPEC.name,
        "patients": options.patients,
        "epochs": options.epochs,
        "decision": decision.to_dict(),
        "patients_by_class": bench.patients(),
        "retrained": {name: shown(outcome) for name, outcome in retrained.items()},
        "verdicts_of_retrained": dict(Counter(outcome.verdict.value for outcome in retrained.values())),
        "wrong": {("no-op" if name == "original" else name): shown(outcome) for name, outcome in wrong.items()},
        "training": costs,
        "seconds": round(time.perf_counter() - started),
    }
    write(document, NAME, options.results)
    for name, outcome in {**retrained, **wrong}.items():
        print(f"{name}: {outcome.line}")


if __name__ == "__main__":
    main()
