"""What does unlearning do in each bundle, beside the original and a retrained reference?

    python benchmarks/bundle_tables.py [--bundle mri_classifier]

Each row is one run of a bundle by its own commands: index, train, unlearn beside a retrained reference. The cohorts are
those that the bundles name. Without real data, phantom rows alone are measured. Of real data only counts and accuracies
are kept. The rows of ODIR-5K come from the results of `odir_cohorts.py`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import mri_training
from benchmark_options import parser_of
from markdown_tables import table, verdict_of, with_interval
from results_file import ROOT, facts, read, write

from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BUNDLES = ROOT / "bundles"
SPECS = ROOT / "cohort_specs"
NOT_ACCEPTED = 3
MODELS = ("original", "reference", "revised")
SUBSETS = [(part, split) for part in ("forget", "remain") for split in ("train", "test")]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One bundle, the data that it is trained on, and the cohort that it forgets.

    Attributes:
        bundle: The name of its folder.
        data: What the table calls data and cohort.
        spec: The cohort.
        index: Builds the index, from the folder of real data and a folder to work in.
        settings: Overrides given to every command.
        real: Whether it needs real data.
    """

    bundle: str
    data: str
    spec: Path
    index: Callable[[Path, Path], Path]
    settings: tuple[str, ...] = field(default=())
    real: bool = False


def run(*arguments: str) -> int:
    """Run a module as a user does; 0 and 3 (not promoted) are results, anything else stops the benchmark."""
    code = subprocess.run([sys.executable, "-W", "ignore", "-m", *arguments], check=False, cwd=ROOT).returncode
    if code not in (0, NOT_ACCEPTED):
        sys.exit(f"{' '.join(arguments[:4])} ended with {code}")
    return code


def phantoms(kind: str, patients: int, *, images: str = ".", measures: str = "") -> Callable[[Path, Path], Path]:
    def build(_: Path, work: Path) -> Path:
        studies, index = work / "studies", work / "index"
        if not studies.exists():
            run("monai_unlearn", "phantom", kind, str(studies), "--patients", str(patients), "--seed", "0")
        table = ["--table", str(studies / "labels.csv"), "--key", "SOPInstanceUID", "--label", "diagnosis"]
        table += ["--measures", str(studies / measures)] if measures else []
        run("monai_unlearn", "index", "build", str(studies / images), "--out", str(index), *table)
        return index

    return build


def brain_mri(data: Path, work: Path) -> Path:
    return mri_training.build_index(data.resolve() / "brain_mri", work)


def forget_class(label: str, work: Path) -> Path:
    """Write a spec that forgets a class: real slices name no device, date or patient to choose by."""
    path = work / "forget-a-class.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = f"schema_version: 1\nname: forget-{label}\nreason: policy_change\nforget: label == {label}\n"
    path.write_text(text, encoding="utf-8")
    return path


def cases(work: Path) -> list[Case]:
    return [
        Case(
            bundle="fundus_classifier",
            data="phantoms, 300 patients: retire a camera",
            spec=SPECS / "retire-camera.yaml",
            index=phantoms("fundus", 300),
        ),
        Case(
            bundle="mri_classifier",
            data="phantoms, 300 patients: retire a scanner",
            spec=BUNDLES / "mri_classifier" / "docs" / "retire-scanner.yaml",
            index=phantoms("mri", 300),
        ),
        Case(
            bundle="mri_classifier",
            data="Nickparvar brain MRI: a class, pituitary",
            spec=forget_class("pituitary", work),
            index=brain_mri,
            real=True,
        ),
        Case(
            bundle="oculoplastic_classifier",
            data="phantoms, 600 patients: wide palpebral fissure",
            spec=SPECS / "fissure-above-11-mm.yaml",
            index=phantoms("periorbital", 600, images="images", measures="reports"),
        ),
    ]


def measure(case: Case, data: Path, work: Path) -> dict[str, Any]:
    """Train, unlearn beside a retrained reference, and return the row of the table."""
    place = work / f"{case.bundle}-{'real' if case.real else 'phantom'}"
    place.mkdir(parents=True, exist_ok=True)
    configs = BUNDLES / case.bundle / "configs"
    checkpoint = place / "original" / "model.pt"
    common = ["--index_dir", str(case.index(data, place)), "--checkpoint", str(checkpoint), "--device", "cpu"]
    common += case.settings
    if not checkpoint.is_file():
        run("monai.bundle", "run", "train", "--config_file", str(configs / "train.yaml"), *common)
    out, kept = place / "revision", place / "references"
    if not kept.exists() and RunFolder(out).references():
        shutil.copytree(RunFolder(out).references()[0].parent, kept)
    shutil.rmtree(out, ignore_errors=True)
    # Retrain once: references depend on no setting of the revision.
    files = sorted(str(path) for path in kept.glob("seed-*/model.pt"))
    reference = json.dumps(files) if files else "retrain"
    unlearn = ["--cohort_spec", str(case.spec), "--output_dir", str(out), "--reference", reference]
    code = run("monai.bundle", "run", "unlearn", "--config_file", str(configs / "unlearn.yaml"), *common, *unlearn)
    metrics = json.loads(RunFolder(out).metrics.read_text())
    return {
        "bundle": case.bundle,
        "data": case.data,
        "exit_code": code,
        **{key: metrics[key] for key in ("verdict", "why", "needs", "basis", "decision")},
        "models": {name: metrics["models"][name] for name in MODELS},
        "cost": metrics["cost"],
    }


def odir_rows(results: Path) -> list[dict[str, Any]]:
    """Return the rows that `odir_cohorts.py` has measured."""
    rows = []
    for path in sorted(results.glob("odir_*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        metrics = document["runs"]["psg"]
        rows.append(
            {
                "bundle": "fundus_classifier",
                "data": f"ODIR-5K: {document['cohort']['spec']['content']['name']}",
                **{key: metrics[key] for key in ("verdict", "why", "needs", "basis", "cost") if key in metrics},
                "models": {model: metrics["models"][model] for model in MODELS},
                "facts": document["facts"],
            }
        )
    return rows


def bundle_table(rows: list[dict[str, Any]], *, bundles: bool = True) -> list[str]:
    """Return the lines of a table with one row for each network.

    Args:
        rows: What was measured.
        bundles: Whether a column names the bundle.
    """
    cells = []
    for row in rows:
        for name, models in row["models"].items():
            verdict = verdict_of(row) if name == "revised" else ""
            about = [row["bundle"], row["data"]] if bundles else [row["data"]]
            cells.append([*about, name, *(with_interval(models[p][s], 0) for p, s in SUBSETS), verdict])
    about = ["bundle", "data and cohort"] if bundles else ["data and cohort"]
    heads = [*about, "model", *(f"{part} {split}" for part, split in SUBSETS), "verdict"]
    return table(heads, cells, numbers=range(len(about) + 1, len(about) + 5))


def to_markdown(document: dict[str, Any]) -> str:
    """Return the page of all bundles."""
    source = "Made by `benchmarks/bundle_tables.py`, one seed. Accuracy in %, 95 % Wilson; images count as independent."
    return "\n".join(["# Bundles: original, reference, revised", "", source, "", *bundle_table(document["rows"]), ""])


def main() -> None:
    parser = parser_of(__doc__, work="bundle_tables", data=True)
    parser.add_argument("--bundle", help="only this one; the others keep their rows")
    options = parser.parse_args()
    path = options.results / "bundle_tables.json"
    rows = read("bundle_tables", options.results)["rows"] if path.exists() else []
    kept = {(row["bundle"], row["data"]): row for row in [*rows, *odir_rows(options.results)]}
    for case in cases(options.work.resolve()):
        if options.bundle not in (None, case.bundle) or (case.real and options.data is None):
            continue
        # Each row has facts of its own: rows of several days may be in one table.
        about = facts("monai-unlearn", "monai", "torch", seeds=1, not_measured="spread over seeds; GPU")
        kept[case.bundle, case.data] = {**measure(case, options.data, options.work.resolve()), "facts": about}
        write({"rows": list(kept.values())}, "bundle_tables", options.results)
    document = read("bundle_tables", options.results)
    path.with_suffix(".md").write_text(to_markdown(document), encoding="utf-8")
    print(to_markdown(document))


if __name__ == "__main__":
    main()
