"""How often does the verdict err where an image may have several labels? In `results/label_calibration.json`.

Networks are simulated as by `verdict_calibration.py`, of one label, of several, and of as many as there can be. Each
patient has one image, and each label with probability a half; half of the variance of what networks say of a patient is
common to all labels. The revised network differs from the retrained ones on forget training images without the first
label, or without each.

    python benchmarks/label_calibration.py                 # 60 verdicts a setting
    python benchmarks/label_calibration.py --verdicts 6    # to try it out
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from benchmark_options import parser_of
from results_file import facts, write
from scipy.special import expit, ndtr
from verdict_calibration import KINDS, ORIGINAL, RETRAINED, SUBSETS, SURE, mean_table

from monai_unlearn.evaluation.decision import ClassMeans, Decision, Evidence, judge
from monai_unlearn.evaluation.label_states import absent_states, states

LABELS = (1, 2, 5, 14)
SEEDS = (3, 8)
SEED_SDS = (0.01,)
# That have a label, on average, in each subset; as many have it not.
PATIENTS = (300,)
COMMON = 0.5
MARGIN = 0.10
# By how much the revised network differs on forget training images without a label, and without which.
TRUTHS = {
    "equal": (0.0, "no"),
    "retrained": (0.0, "no"),
    "at the margin": (MARGIN, "first"),
    "all at the margin": (MARGIN, "every"),
}


@dataclass(frozen=True)
class Setting:
    truth: str
    labels: int
    seeds: int
    seed_sd: float
    patients: int

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"label {number}" for number in range(self.labels))

    @property
    def decision(self) -> Decision:
        healthy = list(absent_states(self.names))
        return Decision.from_config({"healthy_classes": healthy}, class_names=states(self.names))

    def differs(self, subset: str, label: int, state: int) -> float:
        """Return by how much the revised network differs on the images of a state."""
        size, which = TRUTHS[self.truth]
        return size if (subset, state) == ("forget_train", 0) and (which == "every" or label == 0) else 0.0


def evidence(setting: Setting, kind: str, rng: np.random.Generator) -> Evidence:
    """Draw all networks on all decisions: of each label, a patient is among those with it or those without."""
    classes = states(setting.names)
    networks = ("original", "revised", *(f"reference-{seed}" for seed in range(setting.seeds)))
    subsets: dict[str, dict[str, ClassMeans]] = {}
    for subset in SUBSETS:
        has = rng.random((2 * setting.patients, setting.labels)) < 0.5
        common = rng.normal(size=(1 + len(networks), len(has)))
        for label, state in itertools.product(range(setting.labels), (0, 1)):
            chosen = np.flatnonzero(has[:, label] == state)
            means = network_means(setting, subset, (label, state), rng)
            true = probabilities(kind, means, common[:, chosen], rng)
            number = 2 * label + state
            subsets.setdefault(subset, {})[classes[number]] = state_means(true, number, len(classes), chosen)
    return Evidence(
        class_names=classes,
        networks=networks,
        original="original",
        revised="revised",
        references=networks[2:],
        subsets=subsets,
        multilabel=True,
    )


def network_means(setting: Setting, subset: str, of: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return the mean probability that each network gives a state, original and revised first."""
    spread = setting.seed_sd * (1 if subset.startswith("forget") else 1 / 3)
    means = RETRAINED[subset] + spread * rng.normal(size=2 + setting.seeds)
    means[0] = ORIGINAL[subset]
    if setting.truth != "retrained":
        sign = 1 if rng.random() < 0.5 else -1
        means[1] = RETRAINED[subset] + sign * setting.differs(subset, *of)
    return np.clip(means, 0.02, 0.98)


def probabilities(kind: str, means: np.ndarray, common: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return each network's probability of the true state, shape (network, patient), as `verdict_calibration` does.

    Args:
        kind: The kind of patients.
        means: Of each network.
        common: What all labels of a patient have in common: the patient's own, then each network's, standard normal.
        rng: Draws the rest.
    """
    drawn = np.sqrt(COMMON) * common + np.sqrt(1 - COMMON) * rng.normal(size=common.shape)
    if kind == "flips":
        share = (means - (1 - SURE)) / (2 * SURE - 1)
        return np.where(ndtr(drawn[0]) < share[:, None], SURE, 1 - SURE)
    patient, network = KINDS[kind]
    centres, table = mean_table(kind)
    return expit(np.interp(means, table, centres)[:, None] + patient * drawn[0] + network * drawn[1:])


def state_means(true: np.ndarray, number: int, classes: int, patients: np.ndarray) -> ClassMeans:
    """Return decisions on one label, from the probability of their true state; other labels have none of it."""
    soft, hard = np.zeros((*true.shape, classes)), np.zeros((*true.shape, classes))
    soft[..., number], soft[..., number ^ 1] = true, 1 - true
    hard[..., number], hard[..., number ^ 1] = true >= 0.5, true < 0.5
    return ClassMeans(soft=soft, hard=hard, patients=patients, images=len(patients))


def simulate(setting: Setting, verdicts: int, seed: list[int]) -> dict[str, Any]:
    """Return how many verdicts of each kind a setting gives, and of how many endpoints."""
    rng = np.random.default_rng(seed)
    found: Counter[str] = Counter()
    endpoints = 0
    for _, kind in zip(range(verdicts), itertools.cycle(KINDS), strict=False):
        outcome = judge(setting.decision, evidence(setting, kind, rng))
        found[outcome.verdict.value] += 1
        endpoints = sum(not one.is_guard for one in outcome.comparisons)
    return {
        "truth": setting.truth,
        "labels": setting.labels,
        "seeds": setting.seeds,
        "seed_sd": setting.seed_sd,
        "patients": setting.patients,
        "endpoints": endpoints,
        "n": verdicts,
        "verdicts": dict(sorted(found.items())),
    }


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--verdicts", type=int, default=60, help="whole verdicts a setting")
    options = parser.parse_args()
    start = time.process_time()
    runs = []
    for number, axes in enumerate(itertools.product(TRUTHS, LABELS, SEEDS, SEED_SDS, PATIENTS)):
        runs.append(simulate(Setting(*axes), options.verdicts, [21, number]))
        print(runs[-1], flush=True)
    seconds = round(time.process_time() - start, 1)
    document = {"facts": facts("monai-unlearn", "numpy", "scipy", seconds=seconds), "runs": runs}
    write(document, "label_calibration", options.results)


if __name__ == "__main__":
    main()
