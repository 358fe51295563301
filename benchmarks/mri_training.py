"""How accurate is the MRI bundle on real slices, and how long does it train?

    python benchmarks/mri_training.py

The claim: at least 93 % on the test set at 64 to 96 pixels within 10 minutes on 2 cores. The data set names no
patients, so slices of one patient may be on both sides of its published split: the figure compares with others on this
split, and says little about new patients.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import yaml
from benchmark_options import data_folder, parser_of
from results_file import ROOT, facts, write

if TYPE_CHECKING:
    from pathlib import Path

CONFIGS = ROOT / "bundles" / "mri_classifier" / "configs"
SPLITS = ("train", "test")


def write_table(data: Path, path: Path) -> None:
    """Write one row for each image: its path within the data set, its class and its split."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["path", "label", "split"])
        for image in sorted(data.glob("*/*/*.jpg")):
            split, label, _ = image.relative_to(data).parts
            writer.writerow([image, label, split])


def build_index(data: Path, work: Path) -> Path:
    """Index both folders of the data set; a table says which image is in which."""
    work.mkdir(parents=True, exist_ok=True)
    write_table(data, work / "labels.csv")
    command = [sys.executable, "-m", "monai_unlearn", "index", "build", *(str(data / split) for split in SPLITS)]
    table = ["--table", str(work / "labels.csv"), "--key", "path=path", "--label", "label"]
    subprocess.run([*command, "--out", str(work / "index"), *table], check=True, cwd=ROOT)
    return work / "index"


def bundle_run(run_id: str, config: str, *arguments: str) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "monai.bundle", "run", run_id]
    subprocess.run([*command, "--config_file", str(CONFIGS / config), *arguments], check=True, cwd=ROOT)


def measure(data: Path, work: Path, settings: list[str]) -> dict[str, Any]:
    """Train and evaluate unless done before; return accuracy by class, and the seconds that training took."""
    checkpoint, found = work / "model" / "model.pt", work / "evaluation.json"
    common = ["--index_dir", str(build_index(data, work)), "--checkpoint", str(checkpoint)]
    common += ["--device", "cpu"]
    if not checkpoint.is_file():
        bundle_run("train", "train.yaml", *common, *settings)
    if not found.is_file():
        known = yaml.safe_load((CONFIGS / "evaluate.yaml").read_text(encoding="utf-8"))
        shared = [pair for pair in zip(settings[::2], settings[1::2], strict=True) if pair[0].lstrip("-") in known]
        words = [word for pair in shared for word in pair]  # of training alone, evaluation would refuse
        bundle_run("evaluate", "evaluate.yaml", *common, "--output_file", str(found), *words)
    return {
        "training": json.loads((work / "model" / "training.json").read_text()),
        "accuracy": json.loads(found.read_text())["models"]["weights"]["remain"],
    }


def main() -> None:
    parser = parser_of(__doc__, work="mri_training", data=True)
    options, settings = parser.parse_known_args()
    result = measure(data_folder(options) / "brain_mri", options.work.resolve(), settings)
    result["facts"] = facts(
        *("monai-unlearn", "monai", "torch"),
        threads=os.environ.get("OMP_NUM_THREADS", "as torch chooses"),
        settings=settings,
        seeds=1,
        not_measured="spread over seeds; GPU; new patients",
    )
    write(result, "mri_training", options.results)
    test = result["accuracy"]["test"]
    print(f"test accuracy {100 * test['accuracy']:.1f} % (n={test['n']}), trained in {result['training']['seconds']} s")


if __name__ == "__main__":
    main()
