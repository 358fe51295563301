"""Trains the MRI bundle on real slices and reads the published test set: accuracy, and how long it takes.

    python benchmarks/mri_training.py --data "$MONAI_UNLEARN_DATA/brain_mri"

The claim: at least 93 % on the test set at 64 to 96 pixels within 10 minutes on 2 cores. The data set names no
patients, so that slices of one patient may stand on both sides of its published split: the figure compares with
others on this split, and says little of new patients.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import subprocess
import sys
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONFIGS = ROOT / "bundles" / "mri_classifier" / "configs"
SPLITS = ("train", "test")


def write_table(data: Path, path: Path) -> None:
    """Write a row an image: its path within the data set, its class and its split."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["path", "label", "split"])
        for picture in sorted(data.glob("*/*/*.jpg")):
            split, label, _ = picture.relative_to(data).parts
            writer.writerow([picture, label, split])


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
    """Train and evaluate what is not yet; return accuracy by class, and the seconds that training took."""
    checkpoint, found = work / "model" / "model.pt", work / "evaluation.json"
    common = ["--index_dir", str(build_index(data, work)), "--checkpoint", str(checkpoint)]
    common += ["--device", "cpu", *settings]
    if not checkpoint.is_file():
        bundle_run("train", "train.yaml", *common)
    if not found.is_file():
        bundle_run("evaluate", "evaluate.yaml", *common, "--output_file", str(found))
    return {
        "training": json.loads((work / "model" / "training.json").read_text()),
        "accuracy": json.loads(found.read_text())["models"]["weights"]["remain"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "mri_training")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--shared", action="store_true", help="say that other work ran beside the measurement")
    options, settings = parser.parse_known_args()
    result = measure(options.data.resolve(), options.work.resolve(), settings)
    result["facts"] = {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS", "as torch chooses"),
        "load": "shared with other work: an idle machine is faster" if options.shared else "none besides",
        "python": platform.python_version(),
        **{name: version(name) for name in ("monai-unlearn", "monai", "torch")},
        "settings": settings,
        "seeds": 1,
        "not_measured": "spread over seeds; GPU; patients that the training set does not know",
    }
    options.results.mkdir(parents=True, exist_ok=True)
    (options.results / "mri_training.json").write_text(json.dumps(result, indent=1) + "\n")
    test = result["accuracy"]["test"]
    print(f"test accuracy {100 * test['accuracy']:.1f} % (n={test['n']}), trained in {result['training']['seconds']} s")


if __name__ == "__main__":
    main()
