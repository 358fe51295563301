"""Does the camera matter? Trains the fundus bundle with and without the Cirrus images of the phantom studies.

    python benchmarks/phantom_device_effect.py

The claim: without them, accuracy on Cirrus test images is at least 15 points lower.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from benchmark_options import parser_of
from results_file import ROOT, facts, write

if TYPE_CHECKING:
    from pathlib import Path

CONFIGS = ROOT / "bundles" / "fundus_classifier" / "configs"
SPEC = ROOT / "cohort_specs" / "retire-camera.yaml"
PARTS = {"with Cirrus": "['forget','remain','undetermined']", "without Cirrus": "['remain']"}


def run(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-m", module, *arguments], check=True, cwd=ROOT)


def measure(work: Path, seeds: int, patients: int) -> list[dict[str, Any]]:
    """Return one row for each model: seed, what it was trained on, and its accuracy on test images of either part."""
    studies, index = work / "studies", work / "index"
    if not studies.exists():
        run("monai_unlearn", "phantom", "fundus", str(studies), "--patients", str(patients), "--seed", "0")
    table = ["--table", str(studies / "labels.csv"), "--key", "SOPInstanceUID", "--label", "diagnosis"]
    run("monai_unlearn", "index", "build", str(studies), "--out", str(index), *table)
    rows = []
    for seed in range(seeds):
        for name, parts in PARTS.items():
            checkpoint = work / f"{name.split()[0]}-{seed}" / "model.pt"
            common = ["--index_dir", str(index), "--cohort_spec", str(SPEC), "--checkpoint", str(checkpoint)]
            train = ["--parts", parts, "--seed", str(seed), "--device", "cpu"]
            run("monai.bundle", "run", "train", "--config_file", str(CONFIGS / "train.yaml"), *common, *train)
            found = checkpoint.with_name("evaluation.json")
            evaluate = ["--output_file", str(found), "--device", "cpu"]
            run("monai.bundle", "run", "evaluate", "--config_file", str(CONFIGS / "evaluate.yaml"), *common, *evaluate)
            models = json.loads(found.read_text())["models"]["weights"]
            rows.append({"seed": seed, "trained": name, **{part: models[part]["test"] for part in models}})
    return rows


def main() -> None:
    parser = parser_of(__doc__, work="device_effect")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--patients", type=int, default=300)
    options = parser.parse_args()
    rows = measure(options.work, options.seeds, options.patients)
    cirrus = {name: [row["forget"]["accuracy"] for row in rows if row["trained"] == name] for name in PARTS}
    drops = [a - b for a, b in zip(*cirrus.values(), strict=True)]
    result = {
        "facts": facts("monai-unlearn", "monai", "torch", "numpy", patients=options.patients),
        "smallest_drop": min(drops),
        "median_drop": statistics.median(drops),
        "rows": rows,
    }
    write(result, "phantom_device_effect", options.results)
    for row in rows:
        cells = (f"{part} {100 * row[part]['accuracy']:.1f} % (n={row[part]['n']})" for part in ("forget", "remain"))
        print(f"seed {row['seed']}, {row['trained']}: {', '.join(cells)}")
    print(f"drop on Cirrus test images: smallest {100 * min(drops):.1f}, median {100 * statistics.median(drops):.1f}")


if __name__ == "__main__":
    main()
