"""How often does the verdict err? Whole verdicts on simulated networks, in `results/verdict_calibration.json`.

Networks retrained under R seeds vary around a mean by a seed SD on the forget part, and by a third of it on remain.
The revised network is as far from that mean as a truth says. Every network predicts the same patients, two classes in
each of three subsets, in one of three ways that take turns: `soft` and `sure` draw each network's deviation for each
patient on the scale of logits, `flips` lets networks agree on all patients but those that the difference of their means
needs.

    python benchmarks/verdict_calibration.py                 # 200 verdicts a setting
    python benchmarks/verdict_calibration.py --verdicts 20   # to try it out
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from benchmark_options import parser_of
from results_file import facts, write
from scipy.special import expit
from scipy.stats import t

from monai_unlearn.evaluation.decision import ClassMeans, Decision, Evidence, judge

CLASSES = ("healthy", "sick")
SUBSETS = ("forget_train", "forget_test", "remain_test")
# Mean probability of the true class under networks retrained without the cohort, and under the original.
RETRAINED = {"forget_train": 0.70, "forget_test": 0.70, "remain_test": 0.85}
ORIGINAL = {"forget_train": 0.97, "forget_test": 0.74, "remain_test": 0.86}
# How far patients lie apart in logits, and how far networks lie apart for one patient.
KINDS = {"soft": (1.5, 0.4), "sure": (4.0, 1.5), "flips": None}
SURE = 0.99

SEEDS = (3, 5, 8)
SEED_SDS = (0.01, 0.03, 0.06, 0.12)
PATIENTS = (5, 30, 100, 300, 1000)
# By how much the revised network differs, by subset and class; exactly at the margin, beyond it, and a swap of classes
# at equal accuracy.
TRUTHS: dict[str, dict[tuple[str, str], float]] = {
    "equal": {},
    "at the margin": {("forget_train", "healthy"): 0.10},
    "beyond the margin": {("forget_train", "healthy"): 0.15},
    "swap": {
        (subset, label): sign * 0.20
        for subset in ("forget_train", "forget_test")
        for label, sign in (("healthy", -1), ("sick", 1))
    },
}
SETTINGS = {
    "equal": (SEEDS, SEED_SDS, PATIENTS),
    "at the margin": (SEEDS, SEED_SDS, PATIENTS),
    "beyond the margin": (SEEDS, SEED_SDS, (30, 300)),
    "retrained": (SEEDS, SEED_SDS, (30, 300)),
    "swap": ((3, 8), (0.01, 0.06), (30, 300)),
    "no-op": ((3, 8), (0.01, 0.06), (30, 300)),
    "random weights": ((3, 8), (0.01, 0.06), (30, 300)),
}
"""Numbers of seeds, seed SDs and patients per class and subset, by truth. `retrained`: the revised one is one more."""

DECISION = Decision.from_config({"healthy_classes": ["healthy"]}, class_names=CLASSES)


@dataclass(frozen=True)
class Setting:
    truth: str
    seeds: int
    seed_sd: float
    patients: int


@cache
def mean_table(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return logits and the mean probability of patients around each, to be looked up either way."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    centres = np.linspace(-40, 40, 4001)
    spread = np.hypot(*KINDS[kind])
    means = expit(centres[:, None] + spread * nodes) @ weights / weights.sum()
    return centres, np.maximum.accumulate(means)


def probabilities(kind: str, means: np.ndarray, patients: int, rng: np.random.Generator) -> np.ndarray:
    """Return each network's probability of the true class, shape (network, patient), of these means in expectation."""
    if kind == "flips":
        rank = rng.random(patients)
        share = (means - (1 - SURE)) / (2 * SURE - 1)
        return np.where(rank < share[:, None], SURE, 1 - SURE)
    patient, network = KINDS[kind]
    centres, table = mean_table(kind)
    centre = np.interp(means, table, centres)[:, None]
    own = network * rng.normal(size=(len(means), patients))
    return expit(centre + patient * rng.normal(size=patients) + own)


def evidence(setting: Setting, kind: str, rng: np.random.Generator) -> Evidence:
    """Draw all networks on all patients."""
    names = ("original", "revised", *(f"reference-{seed}" for seed in range(setting.seeds)))
    subsets: dict[str, dict[str, ClassMeans]] = {}
    for subset, (number, label) in itertools.product(SUBSETS, enumerate(CLASSES)):
        seed_sd = setting.seed_sd * (1 if subset.startswith("forget") else 1 / 3)
        means = np.full(len(names), RETRAINED[subset])
        # One more draw, for a revised network that is a retrained one.
        means[1:] += seed_sd * rng.normal(size=setting.seeds + 1)
        means[0] = ORIGINAL[subset]
        if setting.truth != "retrained":
            # The side takes turns with the seeds of the generator.
            sign = 1 if rng.random() < 0.5 or setting.truth == "swap" else -1
            means[1] = RETRAINED[subset] + sign * TRUTHS.get(setting.truth, {}).get((subset, label), 0.0)
        true = probabilities(kind, np.clip(means, 0.02, 0.98), setting.patients, rng)
        if setting.truth == "no-op":
            true[1] = true[0]
        if setting.truth == "random weights":
            true[1] = expit(rng.normal(0, 0.3, setting.patients))
        subsets.setdefault(subset, {})[label] = class_means(true, number)
    return Evidence(
        class_names=CLASSES,
        networks=names,
        original="original",
        revised="revised",
        references=names[2:],
        subsets=subsets,
    )


def class_means(true: np.ndarray, number: int) -> ClassMeans:
    """Return patients with one image each, from the probability of their true class."""
    patients = true.shape[1]
    columns = [1 - true, true] if number else [true, 1 - true]
    soft = np.stack(columns, -1)
    hard = np.stack([soft[..., 0] >= 0.5, soft[..., 0] < 0.5], -1).astype(float)
    return ClassMeans(soft=soft, hard=hard, patients=np.arange(patients) + number * patients, images=patients)


def simulate(setting: Setting, verdicts: int, seed: list[int]) -> dict[str, Any]:
    """Return how many verdicts of each kind a setting gives.

    `inside` counts how often the interval of the one number that the truth moves lies inside the margin, whatever the
    verdict; `inside_by_student` the same of Student's limits for the patients, without the exact ones.
    """
    rng = np.random.default_rng(seed)
    found: Counter[str] = Counter()
    inside = by_student = 0
    for _, kind in zip(range(verdicts), itertools.cycle(KINDS), strict=False):
        outcome = judge(DECISION, evidence(setting, kind, rng))
        found[outcome.verdict.value] += 1
        moved = outcome.comparisons[0]
        inside += moved.is_inside
        student = t.ppf(0.95, setting.patients - 1) * moved.patient_se
        by_student += abs(moved.difference) + np.hypot(moved.target_distance, student) < moved.margin
    return {
        "truth": setting.truth,
        "seeds": setting.seeds,
        "seed_sd": setting.seed_sd,
        "patients": setting.patients,
        "n": verdicts,
        "verdicts": dict(sorted(found.items())),
        "inside": inside,
        "inside_by_student": int(by_student),
    }


def settings() -> list[Setting]:
    return [Setting(truth, *values) for truth, axes in SETTINGS.items() for values in itertools.product(*axes)]


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--verdicts", type=int, default=201, help="whole verdicts a setting")
    options = parser.parse_args()
    start = time.process_time()
    runs = []
    for number, setting in enumerate(settings()):
        runs.append(simulate(setting, options.verdicts, [20, number]))
        print(setting, runs[-1]["verdicts"], flush=True)
    document = {
        "facts": facts("monai-unlearn", "numpy", "scipy", seconds=round(time.process_time() - start, 1)),
        "decision": DECISION.to_dict(),
        "runs": runs,
    }
    write(document, "verdict_calibration", options.results)


if __name__ == "__main__":
    main()
