"""The real runs: forget cohorts of ODIR-5K photographs, beside a retrained reference.

    python benchmarks/odir_cohorts.py truncated_field --data "$MONAI_UNLEARN_DATA/fundus_odir" --work build/odir
    python benchmarks/odir_cohorts.py quarter_of_one_class --data "$MONAI_UNLEARN_DATA/fundus_odir" --work build/odir

Trains the fundus bundle's classifier on six diagnoses, unlearns the cohort, retrains a reference, and runs two rivals;
retraining and PSG under two more seeds say how far two runs of the same thing lie apart. The rivals:
fine-tuning on remain with the same number of steps, and boundary shrinking (SGD at 1e-5, ten passes, BatchNorm
in train mode, no remain loss, no recalibration). `fov_style_inferred` was inferred from pixels: a proxy for camera or
site, never a device tag. The other cohort is a quarter of the patients of one diagnosis, drawn by a seed.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import statistics
import subprocess
import sys
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BUNDLE = ROOT / "bundles" / "fundus_classifier"
COHORTS = {
    "truncated_field": ROOT / "cohort_specs" / "odir-truncated-field.yaml",
    "quarter_of_one_class": ROOT / "benchmarks" / "odir_quarter_of_one_class.yaml",
}
CLASSES = ["N", "D", "G", "C", "A", "M"]
SHARED = ["--class_names", str(CLASSES), "--image_size", "[64, 64]"]
RIVALS: dict[str, list[str]] = {
    "psg": [],
    "finetune": ["--method", "{'_target_': 'monai_unlearn.methods.FineTune', 'batch_norm': 'mixed'}"],
    "boundary_shrink": [
        "--method",
        "{'_target_': 'monai_unlearn.methods.PSG', 'preset': 'boundary_shrink', 'remain_weight': 0.0}",
        "--train::optimizer",
        "{'_target_': 'torch.optim.SGD', 'params': '$@network.parameters()', 'lr': 0.00001, 'momentum': 0.9}",
        "--phases",
        "[]",
        "--max_epochs",
        "10",
        "--batch_size",
        "64",
        "--stop",
        "{'steps': 1000000}",
        "--recalibrate",
        "False",
    ],
}


SEEDS = (1, 2)


def bundle_run(run_id: str, config: str, *arguments: str) -> int:
    """Run the bundle as a user does; 0 and 3 (not accepted) are results, anything else stops the benchmark."""
    command = [sys.executable, "-W", "ignore", "-m", "monai.bundle", "run", run_id, "--config_file"]
    code = subprocess.run([*command, str(BUNDLE / "configs" / config), *arguments], check=False, cwd=ROOT).returncode
    if code not in (0, 3):
        sys.exit(f"{run_id} ended with {code}")
    return code


def build_index(data: Path, work: Path) -> Path:
    index = work / "index"
    table = data / "metadata.csv"
    command = [sys.executable, "-m", "monai_unlearn", "index", "build", str(data / "images"), "--out", str(index)]
    subprocess.run([*command, "--table", str(table), "--key", "filename", "--label", "eye_label"], check=True, cwd=ROOT)
    return index


def measure(data: Path, work: Path, cohort: str) -> dict[str, Any]:
    """Run everything; return metrics by method, with the exit code of each run."""
    work.mkdir(parents=True, exist_ok=True)
    index = build_index(data, work)
    checkpoint = work / "original" / "model.pt"
    common = ["--index_dir", str(index), "--cohort_spec", str(COHORTS[cohort]), "--device", "cpu", *SHARED]
    if not checkpoint.is_file():
        bundle_run("train", "train.yaml", *common, "--checkpoint", str(checkpoint))
    results: dict[str, Any] = {}
    kept = work / cohort / "reference" / "model.pt"
    reference = str(kept) if kept.is_file() else "retrain"
    for name, settings in RIVALS.items():
        out = work / cohort / name
        if not out.exists():
            arguments = ["--checkpoint", str(checkpoint), "--output_dir", str(out), "--reference", reference]
            bundle_run("unlearn", "unlearn.yaml", *common, *arguments, *settings)
        results[name] = json.loads((out / "metrics.json").read_text())
        if not kept.is_file():
            shutil.copytree(out / "reference", kept.parent)
        reference = str(kept)
    again = {seed: repeated(work / cohort, seed, common, checkpoint, reference) for seed in SEEDS}
    return {
        "again": again,
        "training": json.loads(checkpoint.with_name("training.json").read_text()),
        "preview": json.loads((work / cohort / "psg" / "cohort_manifest.json").read_text()),
        "runs": results,
    }


def repeated(work: Path, seed: int, common: list[str], checkpoint: Path, reference: str) -> dict[str, Any]:
    """Retrain, and revise with PSG, under another seed; return both accuracy tables."""
    retrained, out = work / f"reference-{seed}", work / f"psg-{seed}"
    weights = str(retrained / "model.pt")
    seeded = ["--seed", str(seed)]
    if not (retrained / "model.pt").is_file():
        bundle_run("train", "train.yaml", *common, *seeded, "--parts", "['remain']", "--checkpoint", weights)
    table = retrained / "evaluation.json"
    if not table.is_file():
        bundle_run("evaluate", "evaluate.yaml", *common, "--checkpoint", weights, "--output_file", str(table))
    if not out.exists():
        arguments = ["--checkpoint", str(checkpoint), "--output_dir", str(out), "--reference", reference, *seeded]
        bundle_run("unlearn", "unlearn.yaml", *common, *arguments)
    return {
        "reference": json.loads(table.read_text())["models"]["weights"],
        "psg": json.loads((out / "metrics.json").read_text())["models"]["revised"],
    }


def cell(value: dict[str, Any]) -> str:
    if value["accuracy"] is None:
        return "–"
    low, high = value["interval"]
    return f"{100 * value['accuracy']:.1f} ({100 * low:.1f}–{100 * high:.1f})"


def spread(result: dict[str, Any]) -> list[str]:
    """Return retraining and PSG over seeds: how far two retrained models lie apart is what a gap is held against."""
    first = result["runs"]["psg"]["models"]
    lines = [
        f"| mean over {1 + len(SEEDS)} seeds (lowest–highest) | forget train | forget test | remain test |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, table in (("reference", first["reference"]), ("psg", first["revised"])):
        tables = [table, *(again[name] for again in result["again"].values())]
        cells = []
        for part, split in (("forget", "train"), ("forget", "test"), ("remain", "test")):
            values = [100 * one[part][split]["accuracy"] for one in tables]
            cells.append(f"{statistics.mean(values):.1f} ({min(values):.1f}–{max(values):.1f})")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return [*lines, ""]


def to_markdown(result: dict[str, Any]) -> str:
    first = result["runs"]["psg"]
    columns = [(part, split) for part in ("forget", "remain") for split in ("train", "test")]
    heads = [f"{part} {split} (n={first['models']['original'][part][split]['n']})" for part, split in columns]
    rows = [
        ("original", first["models"]["original"]),
        ("original, recalibrated", first["models"]["original_recalibrated"]),
    ]
    rows.append(("retrained reference", first["models"]["reference"]))
    for name, run in result["runs"].items():
        rows += [(name, run["models"]["revised"]), (f"{name}, recalibrated", run["models"]["revised_recalibrated"])]
    for name in ("reference", "psg"):
        rows += [(f"{name}, seed {seed}", tables[name]) for seed, tables in result["again"].items()]
    lines = [*spread(result), f"| model | {' | '.join(heads)} |", "| --- |" + " ---: |" * len(columns)]
    lines += [f"| {name} | {' | '.join(cell(table[p][s]) for p, s in columns)} |" for name, table in rows]
    lines += ["", "| run | seconds | gradients | share of retraining | accepted | retraining better? |"]
    lines += ["| --- | ---: | ---: | ---: | --- | --- |"]
    for name, run in result["runs"].items():
        cost = run["cost"]
        lines.append(
            f"| {name} | {cost['seconds']['unlearning']:.0f} of {cost['seconds']['retraining']:.0f} | "
            f"{cost['gradient_evaluations']['unlearning']} | {cost['share_of_retraining_gradients']:.1%} | "
            f"{'yes' if run['accepted'] else 'no'} | {run['recommendation']['retrain']} |"
        )
    classes = list(first["models"]["original"]["forget"]["test"]["classes"])
    lines += ["", f"| forget test, by class | {' | '.join(classes)} |", "| --- |" + " ---: |" * len(classes)]
    for name, table in rows:
        by_class = table["forget"]["test"]["classes"]
        lines.append(f"| {name} | {' | '.join(cell(by_class[c]) for c in classes)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cohort", choices=list(COHORTS))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "odir")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    result = measure(options.data, options.work, options.cohort)
    # Identifiers belong to people; the result keeps counts only.
    preview = result.pop("preview")
    result["cohort"] = {key: preview[key] for key in ("spec", "images", "patients", "attrition", "index_digest")}
    result["facts"] = {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("monai-unlearn", "monai", "torch")},
        "seeds": [0, *SEEDS],
        "not_measured": "spread over originals and splits; GPU",
    }
    options.results.mkdir(parents=True, exist_ok=True)
    (options.results / f"odir_{options.cohort}.json").write_text(json.dumps(result, indent=1) + "\n")
    title = options.cohort.replace("_", " ")
    heading = f"# ODIR-5K, {title}: {result['facts']['date']}"
    source = "Made by `benchmarks/odir_cohorts.py`. Accuracy in %, 95 % Wilson; images count as independent."
    table = to_markdown(result)
    (options.results / f"odir_{options.cohort}.md").write_text(f"{heading}\n\n{source}\n\n{table}\n")
    print(table)


if __name__ == "__main__":
    main()
