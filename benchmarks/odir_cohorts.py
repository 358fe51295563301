"""Does a revised classifier of real fundus photographs behave as one retrained without the cohort?

    python benchmarks/odir_cohorts.py truncated_field
    python benchmarks/odir_cohorts.py quarter_of_one_class

Trains the fundus bundle's classifier on six diagnoses of ODIR-5K, unlearns a cohort with PSG, retrains a reference, and
runs two baselines: fine-tuning on remain with the same number of steps, and boundary_shrink (Chen et al. 2023: SGD at
1e-5, ten passes, BatchNorm in train mode, no remain loss, no recalibration). Two more seeds of retraining and PSG show
how far two runs of the same kind lie apart. `fov_style_inferred` was inferred from pixels: a proxy for camera or site,
never a device tag. The other cohort is a quarter of the patients with one diagnosis, drawn by a seed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from benchmark_options import data_folder, parser_of
from markdown_tables import percent, table, verdict_of, with_interval, with_range
from results_file import ROOT, facts, write

from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

BUNDLE = ROOT / "bundles" / "fundus_classifier"
COHORTS = {
    "truncated_field": ROOT / "cohort_specs" / "odir-truncated-field.yaml",
    "quarter_of_one_class": ROOT / "benchmarks" / "odir_quarter_of_one_class.yaml",
}
CLASSES = ["N", "D", "G", "C", "A", "M"]
SHARED = ["--class_names", str(CLASSES), "--image_size", "[64, 64]"]
# N, a normal fundus, is the class that means no disease.
JUDGED = ["--decision::healthy_classes", "['N']"]
METHODS: dict[str, list[str]] = {
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
MORE_SEEDS = (1, 2)
SUBSETS = [(part, split) for part in ("forget", "remain") for split in ("train", "test")]


def bundle_run(run_id: str, config: str, *arguments: str) -> int:
    """Run the bundle as a user does; 0 and 3 (not promoted) are results, anything else stops the benchmark."""
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
    """Run every method; return their metrics and the manifest of the cohort."""
    work.mkdir(parents=True, exist_ok=True)
    index = build_index(data, work)
    checkpoint = work / "original" / "model.pt"
    common = ["--index_dir", str(index), "--cohort_spec", str(COHORTS[cohort]), "--device", "cpu", *SHARED]
    if not checkpoint.is_file():
        bundle_run("train", "train.yaml", *common, "--checkpoint", str(checkpoint))
    results: dict[str, Any] = {}
    kept = work / cohort / "references"
    reference = retrained(kept)
    for name, settings in METHODS.items():
        out = work / cohort / name
        if not out.exists():
            arguments = ["--checkpoint", str(checkpoint), "--output_dir", str(out), "--reference", reference]
            bundle_run("unlearn", "unlearn.yaml", *common, *JUDGED, *arguments, *settings)
        results[name] = json.loads(RunFolder(out).metrics.read_text())
        if not kept.exists():
            shutil.copytree(RunFolder(out).references()[0].parent, kept)
        reference = retrained(kept)
    again = {seed: repeated(work / cohort, seed, common, checkpoint, reference) for seed in MORE_SEEDS}
    return {
        "again": again,
        "training": json.loads(checkpoint.with_name("training.json").read_text()),
        "manifest": json.loads(RunFolder(work / cohort / "psg").manifest.read_text()),
        "runs": results,
    }


def retrained(kept: Path) -> str:
    """Return the references that an earlier run retrained, or `retrain` where there are none."""
    files = sorted(str(path) for path in kept.glob("seed-*/model.pt"))
    return json.dumps(files) if files else "retrain"


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
        bundle_run("unlearn", "unlearn.yaml", *common, *JUDGED, *arguments)
    return {
        "reference": json.loads(table.read_text())["models"]["weights"],
        "psg": json.loads(RunFolder(out).metrics.read_text())["models"]["revised"],
    }


def spread(result: dict[str, Any]) -> list[str]:
    """Return the table of retraining and PSG over seeds: compare a gap with the spread of retrained models."""
    first = result["runs"]["psg"]["models"]
    shown = [subset for subset in SUBSETS if subset != ("remain", "train")]
    rows = []
    for name, models in (("reference", first["reference"]), ("psg", first["revised"])):
        seeds = [models, *(again[name] for again in result["again"].values())]
        rows.append([name, *(with_range([100 * one[p][s]["accuracy"] for one in seeds]) for p, s in shown)])
    heads = [f"mean over {1 + len(result['again'])} seeds (lowest–highest)", *(f"{p} {s}" for p, s in shown)]
    return table(heads, rows, numbers=range(1, len(heads)))


def networks(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the accuracies of every network, by the name that tables give it."""
    first = result["runs"]["psg"]["models"]
    rows = {
        "original": first["original"],
        "original, recalibrated": first["original_recalibrated"],
        "retrained reference": first["reference"],
    }
    for name, run in result["runs"].items():
        rows |= {name: run["models"]["revised"], f"{name}, recalibrated": run["models"]["revised_recalibrated"]}
    for name in ("reference", "psg"):
        rows |= {f"{name}, seed {seed}": models[name] for seed, models in result["again"].items()}
    return rows


def to_markdown(result: dict[str, Any]) -> str:
    """Return the page of a cohort: every network by subset, what each run cost, and forget test by class."""
    rows = networks(result)
    original = rows["original"]
    heads = [f"{part} {split} (n={original[part][split]['n']})" for part, split in SUBSETS]
    cells = [[name, *(with_interval(models[p][s]) for p, s in SUBSETS)] for name, models in rows.items()]
    lines = [*spread(result), "", *table(["model", *heads], cells, numbers=range(1, 5)), ""]
    heads = ["run", "seconds", "gradients", "share of retraining", "verdict"]
    lines += [*table(heads, [_costs(name, run) for name, run in result["runs"].items()], numbers=(1, 2, 3)), ""]
    classes = list(original["forget"]["test"]["classes"])
    by_class = {name: models["forget"]["test"]["classes"] for name, models in rows.items()}
    cells = [[name, *(with_interval(found[one]) for one in classes)] for name, found in by_class.items()]
    lines += table(["forget test, by class", *classes], cells, numbers=range(1, len(classes) + 1))
    title = result["cohort"]["spec"]["content"]["name"].removeprefix("odir-").replace("-", " ")
    source = "Made by `benchmarks/odir_cohorts.py`. Accuracy in %, 95 % Wilson; images count as independent."
    return "\n".join([f"# ODIR-5K, {title}: {result['facts']['date']}", "", source, "", *lines, ""])


def _costs(name: str, run: dict[str, Any]) -> list[object]:
    cost = run["cost"]
    seconds = f"{cost['seconds']['unlearning']:.0f} of {cost['seconds']['retraining']:.0f}"
    share = f"{percent(cost['share_of_retraining_gradients'])}%"
    return [name, seconds, cost["gradient_evaluations"]["unlearning"], share, verdict_of(run)]


def main() -> None:
    parser = parser_of(__doc__, work="odir", data=True)
    parser.add_argument("cohort", choices=list(COHORTS))
    options = parser.parse_args()
    result = measure(data_folder(options) / "fundus_odir", options.work, options.cohort)
    manifest = result.pop("manifest")
    result["cohort"] = {key: manifest[key] for key in ("spec", "images", "patients", "attrition", "index_digest")}
    result["facts"] = facts(
        *("monai-unlearn", "monai", "torch"),
        seeds=[0, *MORE_SEEDS],
        not_measured="spread over originals and splits; GPU",
    )
    write(result, f"odir_{options.cohort}", options.results)
    page = to_markdown(result)
    (options.results / f"odir_{options.cohort}.md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
