"""What does the paper's anatomical cohort look like on periorbital phantoms, beside a retrained reference?

    python benchmarks/periorbital_fissure.py

Draws the phantom studies, trains the oculoplastic bundle's classifier, unlearns wide palpebral fissures
(`cohort_specs/fissure-above-11-mm.yaml`) with the bundle's own settings beside a retrained reference, and runs one
baseline with the same number of passes: fine-tuning on remain. The bundle ships the weights of the first seed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from benchmark_options import parser_of
from markdown_tables import percent, table, verdict_of, with_interval
from results_file import ROOT, facts, write

from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

CONFIGS = ROOT / "bundles" / "oculoplastic_classifier" / "configs"
SPEC = ROOT / "cohort_specs" / "fissure-above-11-mm.yaml"
METHODS: dict[str, list[str]] = {
    "psg": [],
    "finetune": ["--method", "{'_target_': 'monai_unlearn.methods.FineTune'}"],
}
NETWORKS = {"original": "original", "reference": "retrained reference", "revised": "revised"}
SIDED = ("vpf", "mrd1", "mrd2", "hpf", "canthal_tilt")
MEASURES = [*(f"{side}_{name}" for side in "rl" for name in SIDED), "ipd", "icd"]
SUBSETS = [(part, split) for part in ("forget", "remain") for split in ("train", "test")]


def run(*words: str | Path, accepted: tuple[int, ...] = (0,)) -> int:
    command = [sys.executable, "-W", "ignore", "-m", *map(str, words)]
    code = subprocess.run(command, check=False, cwd=ROOT).returncode
    if code not in accepted:
        sys.exit(f"{' '.join(command[4:7])} ended with {code}")
    return code


def draw(work: Path, patients: int) -> Path:
    """Draw the studies and index them; return the index."""
    studies, index = work / "studies", work / "index"
    if not studies.exists():
        run("monai_unlearn", "phantom", "periorbital", studies, "--patients", str(patients), "--seed", "0")
    table = ("--table", studies / "labels.csv", "--key", "SOPInstanceUID", "--label", "diagnosis")
    run(
        "monai_unlearn", "index", "build", studies / "images", "--out", index, *table, "--measures", studies / "reports"
    )
    return index


def accuracy_by_measures(index: Path) -> float:
    """Return the accuracy of a random forest that sees the reported measures alone, patients kept together."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import GroupKFold, cross_val_score

    from monai_unlearn.index import Index

    frame = Index.open(index).frame().dropna(subset=MEASURES)
    forest = RandomForestClassifier(300, class_weight="balanced", random_state=0)
    folds = GroupKFold(5, shuffle=True, random_state=0)
    features = frame[MEASURES].to_numpy(float)
    return float(cross_val_score(forest, features, frame["diagnosis"], cv=folds, groups=frame["patient"]).mean())


def measure(index: Path, work: Path, seed: int) -> dict[str, Any]:
    """Train, unlearn and retrain with one seed; return the metrics by method."""
    folder = work / f"seed{seed}"
    checkpoint = folder / "original" / "model.pt"
    common = ("--index_dir", index, "--device", "cpu", "--seed", str(seed), "--checkpoint", checkpoint)
    if not checkpoint.is_file():
        run("monai.bundle", "run", "train", "--config_file", CONFIGS / "train.yaml", *common)
    found: dict[str, Any] = {"training": json.loads(checkpoint.with_name("training.json").read_text()), "runs": {}}
    reference = "retrain"
    for name, settings in METHODS.items():
        out = folder / name
        if not out.exists():
            words = ("--cohort_spec", SPEC, "--output_dir", out, "--reference", reference, *settings)
            run(
                *("monai.bundle", "run", "unlearn", "--config_file", CONFIGS / "unlearn.yaml"),
                *(*common, *words),
                accepted=(0, 3),
            )
        found["runs"][name] = json.loads(RunFolder(out).metrics.read_text())
        reference = json.dumps([str(path / "model.pt") for path in RunFolder(folder / "psg").references()])
    manifest = json.loads(RunFolder(folder / "psg").manifest.read_text())
    found["cohort"] = {key: manifest[key] for key in ("spec", "images", "patients", "attrition", "index_digest")}
    return found


def tables(seed: str, found: dict[str, Any]) -> list[str]:
    """Return the tables of a seed: every network by subset, and what each run cost."""
    first = found["runs"]["psg"]["models"]
    rows = [(title, first[name]) for name, title in NETWORKS.items() if name != "revised"]
    rows += [(f"revised, {name}", metrics["models"]["revised"]) for name, metrics in found["runs"].items()]
    heads = [f"{part} {split} (n={first['original'][part][split]['n']})" for part, split in SUBSETS]
    cells = [[title, *(with_interval(models[p][s]) for p, s in SUBSETS)] for title, models in rows]
    costs = [_costs(name, metrics) for name, metrics in found["runs"].items()]
    return [
        *table([f"seed {seed}", *heads], cells, numbers=range(1, 5)),
        "",
        *table(["run", "seconds", "gradients", "share of retraining", "verdict"], costs, numbers=(1, 2, 3)),
        "",
    ]


def _costs(name: str, metrics: dict[str, Any]) -> list[object]:
    cost = metrics["cost"]
    seconds = f"{cost['seconds']['unlearning']:.0f} of {cost['seconds']['retraining']:.0f}"
    share = f"{percent(cost['share_of_retraining_gradients'])}%"
    return [name, seconds, cost["gradient_evaluations"]["unlearning"], share, verdict_of(metrics)]


def to_markdown(document: dict[str, Any]) -> str:
    """Return the page of a result."""
    about = document["facts"]
    heading = (
        f"# Periorbital phantoms, vertical palpebral fissure above 11 mm: {about['date']}, seeds: {about['seeds']}"
    )
    source = (
        "Made by `benchmarks/periorbital_fissure.py`. Accuracy in %, 95 % Wilson; images count as independent. "
        f"The seed changes training and unlearning, not the phantoms. {about['note']}"
    )
    lines = [line for seed, found in document["seeds"].items() for line in tables(seed, found)]
    return "\n".join([heading, "", source.strip(), "", *lines])


def main() -> None:
    parser = parser_of(__doc__, work="periorbital")
    parser.add_argument("--patients", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--note", default="", help="what a reader of the results must know of this run")
    options = parser.parse_args()
    index = draw(options.work, options.patients)
    seeds = {str(seed): measure(index, options.work, seed) for seed in range(options.seeds)}
    about = facts(
        *("monai-unlearn", "monai", "torch", "numpy"),
        patients=options.patients,
        seeds=options.seeds,
        not_measured="real photographs: none are public; GPU",
        note=options.note,
    )
    document = {"facts": about, "accuracy_by_measures_alone": accuracy_by_measures(index), "seeds": seeds}
    write(document, "periorbital_fissure", options.results)
    page = to_markdown(document)
    (options.results / "periorbital_fissure.md").write_text(page, encoding="utf-8")
    print(page)
    print(f"accuracy by the reported measures alone: {percent(document['accuracy_by_measures_alone'])} %")


if __name__ == "__main__":
    main()
