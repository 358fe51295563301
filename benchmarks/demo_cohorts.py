"""Which phantom cohorts let retrained networks agree? Retrains each candidate under several seeds, and tries no method.

    python benchmarks/demo_cohorts.py --bundle fundus_classifier    # the cohort that the demo has now
    python benchmarks/demo_cohorts.py --bundle fundus_classifier --candidate 750 20 "device == Cirrus 800 FA"

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
from runpy import run_path
from subprocess import run
from typing import TYPE_CHECKING, Any

import torch
from benchmark_options import parser_of
from monai.bundle import ConfigWorkflow
from results_file import ROOT, facts, read, write

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.data import subset_datasets
from monai_unlearn.engine.predicted import prediction_table
from monai_unlearn.evaluation import Network, predict_subsets
from monai_unlearn.evaluation.decision import Decision, leave_one_out
from monai_unlearn.release import WEIGHTS, load_weights
from monai_unlearn.strict_yaml import load
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from monai_unlearn.evaluation import PredictionTable, SubsetPredictions
    from monai_unlearn.evaluation.decision import Outcome

BUNDLES = ROOT / "bundles"
NAME = "demo_cohorts"
ORIGINAL = "original"
NOT_ACCEPTED = 3
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


def of_the_demo(bundle: str) -> Candidate:
    """Return the cohort that the demo of a bundle forgets, as `scripts/demo.py` has it."""
    story = run_path(str(ROOT / "scripts" / "demo.py"))["STORIES"][bundle]
    spec, training = CohortSpec.read(story.spec), dict(typed(story.training.training))
    return Candidate(
        patients=story.training.patients,
        forget=spec.forget.render(),
        epochs=training.pop("max_epochs"),
        drawn=" ".join(story.training.options),
        settings={**training, **typed(story.training.settings)},
        reason=spec.reason.value,
    )


def typed(words: Sequence[str]) -> dict[str, Any]:
    """Return settings of a config by name, as they are typed: `--name value --other value`."""
    return {
        name.removeprefix("--"): load(value, source=name) for name, value in zip(words[::2], words[1::2], strict=True)
    }


def command(*words: str) -> None:
    run([sys.executable, "-W", "ignore", "-m", "monai_unlearn", *words], check=True, cwd=ROOT, capture_output=True)


def index_of(bundle: str, patients: int, work: Path, *, drawn: str = "") -> Path:
    """Draw and index the phantoms of a bundle, unless an earlier run did."""
    options = drawn.split()
    name = "".join((bundle, f"-{patients}", *options))
    phantoms, studies, index = PHANTOMS[bundle], work / name, work / f"{name}-index"
    if not index.exists():
        shutil.rmtree(studies, ignore_errors=True)
        command("phantom", phantoms.kind, str(studies), "--patients", str(patients), "--seed", "0", *options)
        reports = None if "--no-reports" in options else phantoms.measures
        measures = ("--measures", str(studies / reports)) if reports else ()
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
        self.index = index_of(bundle, candidate.patients, work, drawn=candidate.drawn)
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

    def checkpoint(self, name: str) -> Path:
        """Return where the weights of a network are."""
        return self.work / name / "model.pt"

    def train(self, seeds: int) -> tuple[dict[str, dict[str, Any]], dict[str, SubsetPredictions]]:
        """Train the original and the retrained networks; return their training records and what they predict."""
        records, models = {}, {}
        for seed in range(seeds + 1):
            name = f"reference-{seed}" if seed else ORIGINAL
            parts = ["remain"] if seed else ["forget", "remain", "undetermined"]
            records[name] = self._trained(name, parts, seed)
            models[name] = predict_subsets(load_weights(self.network, self.checkpoint(name)), self.subsets)
        return records, models

    def _trained(self, name: str, parts: list[str], seed: int) -> dict[str, Any]:
        """Train one network; return its training record."""
        path = self.checkpoint(name)
        settings = {"parts": parts, "seed": seed, "checkpoint": str(path), "max_epochs": self.candidate.epochs}
        before = time.process_time()
        workflow = self._workflow("train", "train.yaml", **settings)
        workflow.initialize()
        workflow.run()
        record = json.loads(path.with_name("training.json").read_text(encoding="utf-8"))
        record["cpu_seconds"] = round(time.process_time() - before, 1)
        return record

    def revised(self, name: str, seeds: int, *words: str) -> SubsetPredictions:
        """Revise the original beside all retrained networks, by options of the command; return what it predicts."""
        out = self.work / name
        shutil.rmtree(out, ignore_errors=True)
        references = [str(self.checkpoint(f"reference-{seed}")) for seed in range(1, seeds + 1)]
        given = {
            "config_file": str(self.configs / "unlearn.yaml"),
            "index_dir": str(self.index),
            "cohort_spec": str(self.spec),
            "output_dir": str(out),
            "device": "cpu",
            "checkpoint": str(self.checkpoint(ORIGINAL)),
            "reference": json.dumps(references),
            **{key: json.dumps(value) for key, value in self.candidate.settings.items()},
        }
        options = itertools.chain(*((f"--{key}", value) for key, value in given.items()))
        program = [sys.executable, "-W", "ignore", "-m", "monai.bundle", "run", "unlearn", *options, *words]
        done = run(program, check=False, cwd=ROOT, capture_output=True, text=True)
        # Whatever the verdict says, the weights are written.
        if done.returncode not in {0, NOT_ACCEPTED}:
            sys.exit(done.stderr)
        bundle = RunFolder(out).bundle(accepted=done.returncode == 0)
        return predict_subsets(load_weights(self.network, bundle / WEIGHTS), self.subsets)

    def decision(self) -> Decision:
        """Return what the bundle declares that a revision is judged by."""
        path = self.configs / "unlearn.yaml"
        config = load(path.read_text(encoding="utf-8"), source=str(path))["decision"]
        return Decision.from_config(config, class_names=self.data.class_names)

    def table(self, models: dict[str, SubsetPredictions], revised: str) -> PredictionTable:
        """Return the predictions with one network, of whichever role, in the place of the revised one."""
        references = [name for name in models if name.startswith("reference-")]
        networks = (
            Network(name=ORIGINAL, role=ORIGINAL),
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
    records, models = bench.train(seeds)
    outcomes = leave_one_out(bench.decision(), bench.table(models, ORIGINAL))
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


def main() -> None:
    parser = parser_of(__doc__, work=NAME)
    parser.add_argument("--bundle", choices=tuple(PHANTOMS), required=True)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--candidate", nargs=3, action="append", default=[], metavar=("PATIENTS", "EPOCHS", "FORGET"))
    parser.add_argument("--drawn", default="", help="further words of the command that draws the phantoms")
    parser.add_argument("--setting", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"))
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    options.work.mkdir(parents=True, exist_ok=True)
    candidates = [
        Candidate(
            patients=int(patients),
            forget=forget,
            epochs=int(epochs),
            drawn=options.drawn,
            settings=typed(list(itertools.chain(*options.setting))),
        )
        for patients, epochs, forget in options.candidate
    ] or [of_the_demo(options.bundle)]
    for candidate in candidates:
        row = measure(options.bundle, candidate, options.work, options.seeds)
        try:
            document = read(NAME, options.results)
        except FileNotFoundError:
            document = {"rows": []}
        same = {"bundle": options.bundle, **asdict(candidate)}
        kept = [one for one in document["rows"] if {key: one.get(key) for key in same} != same]
        write({"facts": facts("monai-unlearn", "monai", "torch"), "rows": [*kept, row]}, NAME, options.results)
        print(
            f"{options.bundle}, {candidate.patients} patients, {candidate.epochs} epochs, {candidate.forget}: "
            f"largest SD {row['largest_sd']} points"
        )
        verdicts = Counter(one["verdict"] for one in row["judged_by_each_other"].values())
        print(f"  retrained networks judge each other {dict(verdicts)}")
        print(
            f"  SD {row['sd']}, CPU {row['cpu_seconds']}, patients {row['patients_by_class']}",
            flush=True,
        )


if __name__ == "__main__":
    main()
