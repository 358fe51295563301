"""Which phantom cohorts let retrained networks agree? Retrains each candidate under several seeds, and tries no method.

    python benchmarks/demo_cohorts.py --bundle fundus_classifier

A demo can only show a method that is as right as retraining where retraining itself is one thing: where networks that
differ in nothing but their seed give each class the same mean probability, up to three points. The script draws the
phantoms, resolves each candidate's spec, trains the original and the retrained networks by the bundle's own training
config, and reports for each the standard deviation over the retrained seeds of every soft confusion row (subset, true
class, predicted class), the patients of each class, and what training cost. `scripts/demo.py` takes its cohorts from
here.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
import warnings
from dataclasses import asdict, dataclass
from subprocess import run
from typing import TYPE_CHECKING, Any

import torch
from benchmark_options import parser_of
from monai.bundle import ConfigWorkflow
from results_file import ROOT, facts, read, write

from monai_unlearn.data import subset_datasets
from monai_unlearn.evaluation import predict_subsets
from monai_unlearn.release import load_weights

if TYPE_CHECKING:
    from pathlib import Path

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
    """A cohort to try: how many patients are drawn, what is forgotten, and how long networks are trained."""

    patients: int
    forget: str
    epochs: int
    reason: str = "policy_change"


def command(*words: str) -> None:
    run([sys.executable, "-W", "ignore", "-m", "monai_unlearn", *words], check=True, cwd=ROOT, capture_output=True)


def index_of(bundle: str, patients: int, work: Path) -> Path:
    """Draw and index the phantoms of a bundle, unless an earlier run did."""
    phantoms, studies = PHANTOMS[bundle], work / f"{bundle}-{patients}"
    index = work / f"{bundle}-{patients}-index"
    if not index.exists():
        command("phantom", phantoms.kind, str(studies), "--patients", str(patients), "--seed", "0")
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
        self.index = index_of(bundle, candidate.patients, work)
        self.spec = written_spec(candidate, work / "spec.yaml")
        self.work = work
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
            **settings,
        )

    def trained(self, parts: list[str], seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """Train one network; return its training record and its soft confusion rows."""
        checkpoint = self.work / "network" / "model.pt"
        settings = {"parts": parts, "seed": seed, "checkpoint": str(checkpoint), "max_epochs": self.candidate.epochs}
        before = time.process_time()
        workflow = self._workflow("train", "train.yaml", **settings)
        workflow.initialize()
        workflow.run()
        record = json.loads(checkpoint.with_name("training.json").read_text(encoding="utf-8"))
        record["cpu_seconds"] = round(time.process_time() - before, 1)
        load_weights(self.network, checkpoint)
        return record, self.rows()

    def rows(self) -> dict[str, list[list[float]]]:
        """Return, by subset, the mean probability of each class (column) on the images of each class (row)."""
        found = {}
        for (part, split), predictions in predict_subsets(self.network, self.subsets, device="cpu").items():
            probabilities = predictions.logits.softmax(1)
            rows = [probabilities[predictions.labels == label].mean(0) for label in range(probabilities.shape[1])]
            # A class of which a subset has no image has no row.
            found[f"{part}/{split}"] = [
                None if row.isnan().any() else [round(value, 4) for value in row.tolist()] for row in rows
            ]
        return found

    def patients(self) -> dict[str, dict[str, int]]:
        """Return the patients of each class by subset."""
        frame = self.data.frame
        counts = frame.groupby(["part", "split", "label"])["patient"].nunique()
        return {
            f"{part}/{split}": {name: int(counts.get((part, split, name), 0)) for name in self.data.class_names}
            for part, split in SUBSETS
        }


def spread(rows: list[dict[str, list[list[float]]]]) -> dict[str, float]:
    """Return the largest standard deviation over seeds of a soft confusion row, by subset, in points."""
    return {
        subset: round(100 * float(torch.tensor([[row for row in one[subset] if row] for one in rows]).std(0).max()), 2)
        for subset in rows[0]
    }


def measure(bundle: str, candidate: Candidate, work: Path, seeds: int) -> dict[str, Any]:
    """Train the original and the retrained networks of a candidate; return what they say and cost."""
    bench = Bench(bundle, candidate, work)
    original, original_rows = bench.trained(["forget", "remain", "undetermined"], 0)
    retrained = [bench.trained(["remain"], seed) for seed in range(1, seeds + 1)]
    rows = [row for _, row in retrained]
    found = spread(rows)
    return {
        "bundle": bundle,
        **asdict(candidate),
        "seeds": seeds,
        "largest_sd": max(found.values()),
        "sd": found,
        "patients_by_class": bench.patients(),
        "gradient_evaluations": {
            "original": original["gradient_evaluations"],
            "retrained": retrained[0][0]["gradient_evaluations"],
        },
        "cpu_seconds": {
            "original": original["cpu_seconds"],
            "retrained": round(sum(record["cpu_seconds"] for record, _ in retrained) / seeds, 1),
        },
        "original": original_rows,
        "retrained": rows,
    }


def main() -> None:
    parser = parser_of(__doc__, work=NAME)
    parser.add_argument("--bundle", choices=tuple(PHANTOMS), required=True)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument(
        "--candidate", nargs=3, action="append", metavar=("PATIENTS", "EPOCHS", "FORGET"), required=True
    )
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    options.work.mkdir(parents=True, exist_ok=True)
    for patients, epochs, forget in options.candidate:
        candidate = Candidate(patients=int(patients), epochs=int(epochs), forget=forget)
        row = measure(options.bundle, candidate, options.work, options.seeds)
        try:
            document = read(NAME, options.results)
        except FileNotFoundError:
            document = {"rows": []}
        same = {key: row[key] for key in ("bundle", "patients", "forget", "epochs")}
        kept = [one for one in document["rows"] if {key: one[key] for key in same} != same]
        write({"facts": facts("monai-unlearn", "monai", "torch"), "rows": [*kept, row]}, NAME, options.results)
        print(
            f"{options.bundle}, {patients} patients, {epochs} epochs, {forget}: largest SD {row['largest_sd']} points"
        )
        print(
            f"  SD {row['sd']}, CPU {row['cpu_seconds']}, patients {row['patients_by_class']['forget/train']}",
            flush=True,
        )


if __name__ == "__main__":
    main()
