"""Which phantom cohorts let retrained networks agree? Retrains each candidate under several seeds, and tries no method.

    python benchmarks/demo_cohorts.py --bundle fundus_classifier

A demo can only show a method that is as right as retraining where retraining itself is one thing: where networks that
differ in nothing but their seed give each class the same mean probability, up to three points, and judge each other
equivalent. The script draws the phantoms, resolves each candidate's spec, and trains the original and the retrained
networks by the bundle's own training config. It reports for each the standard deviation over the retrained seeds of
every soft confusion row (subset, true class, predicted class), the verdict on each of them beside the others, the
patients of each class, and what training cost. `scripts/demo.py` takes its cohorts from here.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sys
import time
import warnings
from collections import Counter
from dataclasses import asdict, dataclass, field
from subprocess import run
from typing import TYPE_CHECKING, Any

import torch
from benchmark_options import parser_of
from monai.bundle import ConfigWorkflow
from results_file import ROOT, facts, read, write

from monai_unlearn.data import subset_datasets
from monai_unlearn.engine.predicted import prediction_table
from monai_unlearn.evaluation import Network, predict_subsets
from monai_unlearn.evaluation.decision import Decision, leave_one_out
from monai_unlearn.release import load_weights
from monai_unlearn.strict_yaml import load

if TYPE_CHECKING:
    from pathlib import Path

    from monai_unlearn.evaluation import PredictionTable, SubsetPredictions
    from monai_unlearn.evaluation.decision import Outcome

BUNDLES = ROOT / "bundles"
NAME = "demo_cohorts"
SUBSETS = tuple(itertools.product(("forget", "remain"), ("train", "test")))


@dataclass(frozen=True, kw_only=True)
class Phantoms:
    """The studies of a bundle: how they are drawn and where images and reports lie within them."""

    kind: str
    images: str = "."
    measures: str | None = None


PHANTOMS = {
    "fundus_classifier": Phantoms(kind="fundus"),
    "mri_classifier": Phantoms(kind="mri"),
    "oculoplastic_classifier": Phantoms(kind="periorbital", images="images", measures="reports"),
}


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A cohort to try: which patients are drawn, what is forgotten, and how networks are trained.

    Attributes:
        drawn: Further words of the command that draws the phantoms, such as `--slices 1`.
        settings: Settings of the bundle's configs that differ, such as `split::test_fraction`: patients to test on
            decide how wide the intervals of a verdict are.
    """

    patients: int
    forget: str
    epochs: int
    drawn: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    reason: str = "policy_change"


def command(*words: str) -> None:
    run([sys.executable, "-W", "ignore", "-m", "monai_unlearn", *words], check=True, cwd=ROOT, capture_output=True)


def index_of(bundle: str, candidate: Candidate, work: Path) -> Path:
    """Draw and index the phantoms of a bundle, unless an earlier run did."""
    drawn = candidate.drawn.split()
    name = "".join((bundle, f"-{candidate.patients}", *drawn))
    phantoms, studies, index = PHANTOMS[bundle], work / name, work / f"{name}-index"
    if not index.exists():
        shutil.rmtree(studies, ignore_errors=True)
        command("phantom", phantoms.kind, str(studies), "--patients", str(candidate.patients), "--seed", "0", *drawn)
        measures = ("--measures", str(studies / phantoms.measures)) if phantoms.measures else ()
        table = ("--table", str(studies / "labels.csv"), "--key", "SOPInstanceUID", "--label", "diagnosis")
        command("index", "build", str(studies / phantoms.images), "--out", str(index), *table, *measures)
    return index


def written_spec(candidate: Candidate, path: Path) -> Path:
    """Write the cohort spec of a candidate."""
    head = f"schema_version: 1\nname: demo\nreason: {candidate.reason}\nunknown: exclude\n"
    path.write_text(f"{head}forget: {candidate.forget}\n", encoding="utf-8")
    return path


class Bench:
    """Trains and evaluates the networks of one candidate, all on images that are read once."""

    def __init__(self, bundle: str, candidate: Candidate, work: Path) -> None:
        self.candidate = candidate
        self.configs = BUNDLES / bundle / "configs"
        self.index = index_of(bundle, candidate, work)
        # Each run has a place of its own, so that two of them can go on at a time.
        self.work = work / f"run-{os.getpid()}"
        self.work.mkdir(exist_ok=True)
        self.spec = written_spec(candidate, self.work / "spec.yaml")
        evaluation = self._workflow("evaluate", "evaluate.yaml")
        evaluation.initialize()
        parser = evaluation.parser
        self.data = parser.get_parsed_content("data")
        self.network = parser.get_parsed_content("network")
        self.subsets = subset_datasets(data=self.data, transform=parser.get_parsed_content("preprocessing"))

    def _workflow(self, run_id: str, config: str, **settings: Any) -> ConfigWorkflow:  # noqa: ANN401 - any setting
        return ConfigWorkflow(
            config_file=str(self.configs / config),
            meta_file=str(self.configs / "metadata.json"),
            logging_file=False,
            run_id=run_id,
            workflow_type="train",
            index_dir=str(self.index),
            cohort_spec=str(self.spec),
            device="cpu",
            **self.candidate.settings,
            **settings,
        )

    def trained(self, parts: list[str], seed: int) -> tuple[dict[str, Any], SubsetPredictions]:
        """Train one network; return its training record and what it predicts. The network is loaded afterwards."""
        checkpoint = self.work / "network" / "model.pt"
        settings = {"parts": parts, "seed": seed, "checkpoint": str(checkpoint), "max_epochs": self.candidate.epochs}
        before = time.process_time()
        workflow = self._workflow("train", "train.yaml", **settings)
        workflow.initialize()
        workflow.run()
        record = json.loads(checkpoint.with_name("training.json").read_text(encoding="utf-8"))
        record["cpu_seconds"] = round(time.process_time() - before, 1)
        load_weights(self.network, checkpoint)
        return record, predict_subsets(self.network, self.subsets, device="cpu")

    def decision(self) -> Decision:
        """Return what the bundle declares that a revision is judged by."""
        path = self.configs / "unlearn.yaml"
        config = load(path.read_text(encoding="utf-8"), source=str(path))["decision"]
        return Decision.from_config(config, class_names=self.data.class_names)

    def table(self, models: dict[str, SubsetPredictions], revised: str) -> PredictionTable:
        """Return the predictions with one network, of whichever role, in the place of the revised one."""
        references = [name for name in models if name.startswith("reference-")]
        networks = (
            Network(name="original", role="original"),
            Network(name="revised", role="revised"),
            *(Network(name=name, role="reference", seed=int(name.split("-")[1])) for name in references),
        )
        return prediction_table(self.data, {**models, "revised": models[revised]}, networks)

    def patients(self) -> dict[str, dict[str, int]]:
        """Return the patients of each class by subset."""
        frame = self.data.frame
        counts = frame.groupby(["part", "split", "label"])["patient"].nunique()
        return {
            f"{part}/{split}": {name: int(counts.get((part, split, name), 0)) for name in self.data.class_names}
            for part, split in SUBSETS
        }


def soft_rows(predictions: SubsetPredictions) -> dict[str, list[list[float] | None]]:
    """Return, by subset, the mean probability of each class (column) on the images of each class (row)."""
    found = {}
    for (part, split), one in predictions.items():
        probabilities = one.logits.softmax(1)
        rows = [probabilities[one.labels == label].mean(0) for label in range(probabilities.shape[1])]
        # A class of which a subset has no image has no row.
        found[f"{part}/{split}"] = [
            None if row.isnan().any() else [round(value, 4) for value in row.tolist()] for row in rows
        ]
    return found


def shown(outcome: Outcome) -> dict[str, Any]:
    """Return what a result keeps of an outcome."""
    return {"verdict": outcome.verdict.value, "why": list(outcome.why), "needs": [one.text for one in outcome.needs]}


def spread(rows: list[dict[str, list[list[float] | None]]]) -> dict[str, float]:
    """Return the largest standard deviation over seeds of a soft confusion row, by subset, in points."""
    return {
        subset: round(100 * float(torch.tensor([[row for row in one[subset] if row] for one in rows]).std(0).max()), 2)
        for subset in rows[0]
    }


def measure(bundle: str, candidate: Candidate, work: Path, seeds: int) -> dict[str, Any]:
    """Train the original and the retrained networks of a candidate; return what they say and cost."""
    bench = Bench(bundle, candidate, work)
    records, models = {}, {}
    for seed in range(seeds + 1):
        name = f"reference-{seed}" if seed else "original"
        parts = ["remain"] if seed else ["forget", "remain", "undetermined"]
        records[name], models[name] = bench.trained(parts, seed)
    outcomes = leave_one_out(bench.decision(), bench.table(models, "original"))
    original, *retrained = records.values()
    original_rows, *rows = map(soft_rows, models.values())
    found = spread(rows)
    return {
        "bundle": bundle,
        **asdict(candidate),
        "seeds": seeds,
        "largest_sd": max(found.values()),
        "sd": found,
        "judged_by_each_other": {name: shown(outcome) for name, outcome in outcomes.items()},
        "patients_by_class": bench.patients(),
        "gradient_evaluations": {
            "original": original["gradient_evaluations"],
            "retrained": retrained[0]["gradient_evaluations"],
        },
        "cpu_seconds": {
            "original": original["cpu_seconds"],
            "retrained": round(sum(record["cpu_seconds"] for record in retrained) / seeds, 1),
        },
        "original": original_rows,
        "retrained": rows,
    }


def setting(text: str) -> tuple[str, Any]:
    """Return the name and the value of a setting given as NAME=VALUE."""
    name, value = text.split("=", 1)
    return name, load(value, source=name)


def main() -> None:
    parser = parser_of(__doc__, work=NAME)
    parser.add_argument("--bundle", choices=tuple(PHANTOMS), required=True)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument(
        "--candidate", nargs=3, action="append", metavar=("PATIENTS", "EPOCHS", "FORGET"), required=True
    )
    parser.add_argument("--drawn", default="", help="further words of the command that draws the phantoms")
    parser.add_argument(
        "--setting", type=setting, action="append", default=[], metavar="NAME=VALUE", help="of the bundle's configs"
    )
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    options.work.mkdir(parents=True, exist_ok=True)
    for patients, epochs, forget in options.candidate:
        candidate = Candidate(
            patients=int(patients),
            forget=forget,
            epochs=int(epochs),
            drawn=options.drawn,
            settings=dict(options.setting),
        )
        row = measure(options.bundle, candidate, options.work, options.seeds)
        try:
            document = read(NAME, options.results)
        except FileNotFoundError:
            document = {"rows": []}
        same = {"bundle": options.bundle, **asdict(candidate)}
        kept = [one for one in document["rows"] if {key: one.get(key) for key in same} != same]
        write({"facts": facts("monai-unlearn", "monai", "torch"), "rows": [*kept, row]}, NAME, options.results)
        print(
            f"{options.bundle}, {patients} patients, {epochs} epochs, {forget}: largest SD {row['largest_sd']} points"
        )
        verdicts = Counter(one["verdict"] for one in row["judged_by_each_other"].values())
        print(f"  retrained networks judge each other {dict(verdicts)}")
        print(
            f"  SD {row['sd']}, CPU {row['cpu_seconds']}, patients {row['patients_by_class']}",
            flush=True,
        )


if __name__ == "__main__":
    main()
