"""Run the whole workflow on phantom studies: from DICOM files to two revisions, judged against the same references.

    make demo
    make demo BUNDLE=mri_classifier

Every step is a command that a user would type; it is printed before it runs. The first revision is by PSG; the second
by the default, which the kind of the cohort chooses. The last line and the exit code are those of the default.
`benchmarks/demo_cohorts.py` measures, before any method is tried, for which cohorts retrained networks agree.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monai_unlearn.card.wording import choice
from monai_unlearn.evaluation import PredictionTable
from monai_unlearn.evaluation.decision.evidence import gather
from monai_unlearn.studio.demo.story import FUNDUS
from monai_unlearn.studio.demo.story import Story as TrainingStory
from monai_unlearn.vocabulary.run_folder import RunFolder

ROOT = Path(__file__).resolve().parent.parent
BUNDLES = ROOT / "bundles"
NOT_ACCEPTED = 3
# The folders and columns of the two revisions.
PSG, DEFAULT = "psg", "default"
# Patients to test on decide how wide the intervals of the verdict are.
HALF_TO_TEST = ("--split::test_fraction", "0.5")


@dataclass(frozen=True, kw_only=True)
class Story:
    """The classifier that is trained, and the cohort that is then forgotten.

    Attributes:
        training: The studies that are drawn, and how a classifier is trained on them.
        drawn: What they are, in words.
        spec: The cohort spec.
        forgotten: What it forgets, in words.
        revision: Settings of the revisions: of so short a training, a tenth is too few steps.
    """

    training: TrainingStory
    drawn: str
    spec: Path
    forgotten: str
    revision: tuple[str, ...] = ("--budget", "0.4")


STORIES = {
    "fundus_classifier": Story(
        training=FUNDUS,
        drawn="fundus studies: real DICOM files of two cameras; one station filed its images unread, as normal",
        spec=BUNDLES / "fundus_classifier" / "docs" / "unread-station.yaml",
        forgotten="what the station filed unread",
    ),
    "mri_classifier": Story(
        training=TrainingStory(
            phantom="mri",
            patients=1500,
            options=("--slices", "1", "--severity", "2", "--unread", "SKYRA-01"),
            training=("--max_epochs", "24", "--batch_size", "16"),
            settings=("--split::test_fraction", "0.5", "--image_size", "[48, 48]"),
        ),
        drawn="MR studies of the head: real DICOM files of three scanners; one station filed its images unread",
        spec=BUNDLES / "mri_classifier" / "docs" / "unread-station.yaml",
        forgotten="what the station filed unread",
    ),
    "oculoplastic_classifier": Story(
        training=TrainingStory(
            phantom="periorbital",
            patients=1600,
            options=("--size", "128", "--no-reports", "--severity", "2.5", "--unread", "PHOTO-02"),
            images="images",
            training=("--max_epochs", "18", "--batch_size", "16"),
            settings=("--split::test_fraction", "0.5", "--image_size", "[32, 80]"),
        ),
        drawn="photographs of both eyes by three cameras; one station filed its images unread",
        spec=BUNDLES / "oculoplastic_classifier" / "docs" / "unread-station.yaml",
        forgotten="what the station filed unread",
    ),
}


class Demo:
    """Runs the steps in order, and prints each command before it runs."""

    def __init__(self, out: Path, patients: int, bundle: str) -> None:
        self.out = out
        self.bundle = bundle
        self.story = STORIES[bundle]
        self.patients = patients
        self.step = 0
        self.started = time.monotonic()
        # Batches are small: a second thread waits more than it works, and on a busy machine it costs minutes.
        self.environment = {"OMP_NUM_THREADS": "1", **os.environ, "PYTHONWARNINGS": "ignore"}

    def run(self, title: str, *arguments: str, module: str) -> int:
        self.step += 1
        shown = "monai-unlearn" if module == "monai_unlearn" else f"python -m {module}"
        print(f"\n[{self.step}] {title}\n    $ {shown} {shlex.join(map(self.short, arguments))}\n", flush=True)
        command = [sys.executable, "-m", module, *arguments]
        code = subprocess.run(command, check=False, env=self.environment, cwd=ROOT).returncode
        print(
            f"\n    {time.monotonic() - self.started:.0f} s so far, {processor_seconds():.0f} s of processor time",
            flush=True,
        )
        if code not in (0, NOT_ACCEPTED):
            sys.exit(code)
        return code

    @staticmethod
    def short(argument: str) -> str:
        return argument.replace(f"{ROOT}/", "")

    def walk(self) -> int:
        studies, index, bundle = self.out / "studies", self.out / "index", self.out / self.bundle
        story = self.story
        self.run(
            f"Draw phantom {story.drawn}",
            *story.training.draw(studies, patients=self.patients),
            module="monai_unlearn",
        )
        self.run(
            "Index them with their diagnoses",
            *story.training.index(studies, index),
            module="monai_unlearn",
        )
        self.run(
            "Preview which images the spec selects",
            *("cohort", "preview", str(story.spec), "--index", str(index)),
            module="monai_unlearn",
        )
        shutil.copytree(BUNDLES / self.bundle, bundle, ignore=shutil.ignore_patterns("models"))
        configs = bundle / "configs"
        self.run(
            "Train the classifier to be deployed",
            *story.training.train(bundle, index),
            module="monai.bundle",
        )
        unlearn = ("run", "unlearn", "--config_file", str(configs / "unlearn.yaml"), "--index_dir", str(index))
        cohort = ("--cohort_spec", str(story.spec), *story.training.settings)
        self.run(
            f"Unlearn {story.forgotten} by PSG, beside three retrained networks",
            *(*unlearn, *cohort, "--output_dir", str(self.out / PSG), "--method", "psg", *story.revision),
            *("--reference", "retrain"),
            module="monai.bundle",
        )
        references = [str(path / "model.pt") for path in RunFolder(self.out / PSG).references()]
        return self.run(
            "Unlearn them by the default for such a cohort, beside the same networks",
            *(*unlearn, *cohort, "--output_dir", str(self.out / DEFAULT), *story.revision),
            *("--reference", json.dumps(references)),
            module="monai.bundle",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "demo", help="overwritten by every run")
    parser.add_argument("--patients", type=int, help="how many to draw, instead of what the cohort needs")
    parser.add_argument("--bundle", choices=tuple(STORIES), default="fundus_classifier")
    options = parser.parse_args()
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    patients = options.patients or STORIES[options.bundle].training.patients
    code = Demo(options.out.resolve(), patients, options.bundle).walk()
    print(f"\nThe cards are in {options.out}, in {PSG} and in {DEFAULT}.\n")
    runs = {method: RunFolder(options.out / method) for method in (PSG, DEFAULT)}
    found = {name: read(run.metrics) for name, run in runs.items()}
    print("\n".join(side_by_side(found, original=of_the_original(runs[DEFAULT]))))
    sys.exit(code)


def processor_seconds() -> float:
    """Return what the steps took of the processors so far, all threads together."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def read(path: Path) -> dict[str, Any]:
    """Return a JSON document."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def of_the_original(run: RunFolder) -> dict[tuple[str, str], float]:
    """Return the mean probability of the labelled class that the original gives, by subset and class."""
    evidence = gather(PredictionTable.read(run.predictions))
    row = evidence.rows(evidence.original)[0]
    return {
        (subset, label): float(means.soft[row, :, evidence.class_names.index(label)].mean())
        for subset, classes in evidence.subsets.items()
        for label, means in classes.items()
    }


def side_by_side(runs: dict[str, dict[str, Any]], *, original: dict[tuple[str, str], float]) -> list[str]:
    """Return, class by class, what each network does beside the same retrained networks, and the verdicts.

    The lines after the table say what the default is, and each verdict in a sentence.
    """
    endpoints = {name: _endpoints(metrics) for name, metrics in runs.items()}
    first = next(iter(endpoints.values()))
    rows = [["probability of the labelled class in %", "original", "retrained", *runs]]
    for key, row in first.items():
        found = [_percent(rows_of[key]["revised"]) for rows_of in endpoints.values()]
        rows.append([" ".join(key).replace("_", " "), _percent(original.get(key)), _percent(row["target"]), *found])
    rows.append(["verdict", "", "", *(metrics["verdict"] for metrics in runs.values())])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    chosen = [f"{name} is {choice(metrics['method'])}." for name, metrics in runs.items() if name == DEFAULT]
    return [*table, "", *chosen, *(line_of(name, metrics) for name, metrics in runs.items())]


def _endpoints(metrics: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the judged mean probability of each labelled class, by subset and class."""
    return {
        (row["subset"], row["class"]): row
        for row in metrics["decision"]["endpoints"]
        if row["measure"] == "mean_probability" and not row["guard"] and row["predicted"] == row["class"]
    }


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"


def line_of(name: str, metrics: dict[str, Any]) -> str:
    """Return the verdict of a run in a line."""
    return f"{name}: {metrics['decision']['line']}"


if __name__ == "__main__":
    main()
