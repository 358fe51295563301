"""The table of every bundle: original, retrained reference and revised, on phantom studies and on real data.

    python benchmarks/bundle_tables.py [--bundle mri_classifier] [--data "$MONAI_UNLEARN_DATA"]

Each row is a whole walk through a bundle by its own commands: index, train, unlearn beside a retrained reference. The
cohorts are those that the bundles name. Of real data only counts and accuracies are kept. The rows of ODIR-5K are those
that `odir_cohorts.py` has measured.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mri_training

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
BUNDLES = ROOT / "bundles"
SPECS = ROOT / "cohort_specs"
NOT_ACCEPTED = 3
MODELS = ("original", "reference", "revised")


@dataclass(frozen=True, kw_only=True)
class Walk:
    """One walk through a bundle.

    Attributes:
        bundle: The name of its folder.
        data: What the table calls the data.
        spec: The cohort.
        index: Takes the folder of real data and one to work in to an index.
        settings: Overrides of every command.
        real: Whether it takes real data.
    """

    bundle: str
    data: str
    spec: Path
    index: Callable[[Path, Path], Path]
    settings: tuple[str, ...] = field(default=())
    real: bool = False


def run(*arguments: str) -> int:
    """Run a module as a user does; 0 and 3 (not accepted) are results, anything else stops the benchmark."""
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
    return mri_training.build_index(data / "brain_mri", work)


def forget_class(label: str, work: Path) -> Path:
    """Write a spec that forgets a class; real slices have no device, date or patient to choose by."""
    path = work / "forget-a-class.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = f"schema_version: 1\nname: forget-{label}\nreason: policy_change\nforget: label == {label}\n"
    path.write_text(text, encoding="utf-8")
    return path


def walks(work: Path) -> list[Walk]:
    return [
        Walk(
            bundle="fundus_classifier",
            data="phantoms, 300 patients: retire a camera",
            spec=SPECS / "retire-camera.yaml",
            index=phantoms("fundus", 300),
        ),
        Walk(
            bundle="mri_classifier",
            data="phantoms, 300 patients: retire a scanner",
            spec=BUNDLES / "mri_classifier" / "docs" / "retire-scanner.yaml",
            index=phantoms("mri", 300),
        ),
        Walk(
            bundle="mri_classifier",
            data="Nickparvar brain MRI: a class, pituitary",
            spec=forget_class("pituitary", work),
            index=brain_mri,
            real=True,
        ),
        Walk(
            bundle="oculoplastic_classifier",
            data="phantoms, 600 patients: wide palpebral fissure",
            spec=ROOT / "benchmarks" / "periorbital_fissure.yaml",
            index=phantoms("periorbital", 600, images="images", measures="reports"),
        ),
    ]


def measure(walk: Walk, data: Path, work: Path) -> dict[str, Any]:
    """Train, unlearn beside a retrained reference, and return what the table shows."""
    place = work / f"{walk.bundle}-{'real' if walk.real else 'phantom'}"
    place.mkdir(parents=True, exist_ok=True)
    configs = BUNDLES / walk.bundle / "configs"
    checkpoint = place / "original" / "model.pt"
    common = ["--index_dir", str(walk.index(data, place)), "--checkpoint", str(checkpoint), "--device", "cpu"]
    common += walk.settings
    if not checkpoint.is_file():
        run("monai.bundle", "run", "train", "--config_file", str(configs / "train.yaml"), *common)
    out, kept = place / "revision", place / "reference"
    if not kept.exists() and (out / "reference").exists():
        shutil.copytree(out / "reference", kept)
    shutil.rmtree(out, ignore_errors=True)
    # Retrained once: a reference depends on no setting of the revision.
    reference = str(kept / "model.pt") if kept.exists() else "retrain"
    unlearn = ["--cohort_spec", str(walk.spec), "--output_dir", str(out), "--reference", reference]
    code = run("monai.bundle", "run", "unlearn", "--config_file", str(configs / "unlearn.yaml"), *common, *unlearn)
    metrics = json.loads((out / "metrics.json").read_text())
    return {
        "bundle": walk.bundle,
        "data": walk.data,
        "exit_code": code,
        "accepted": metrics["accepted"],
        "criteria": metrics["criteria"],
        "models": {name: metrics["models"][name] for name in MODELS},
        "cost": metrics["cost"],
    }


def odir_rows(results: Path, rows: dict[tuple[str, str], dict[str, Any]]) -> dict[tuple[str, str], Any]:
    """Put the rows that `odir_cohorts.py` has measured among the others; return them."""
    found = {}
    for path in sorted(results.glob("odir_*.json")):
        document = json.loads(path.read_text())
        name = document["cohort"]["spec"]["content"]["name"]
        metrics = document["runs"]["psg"]
        found["fundus_classifier", f"ODIR-5K: {name}"] = {
            "bundle": "fundus_classifier",
            "data": f"ODIR-5K: {name}",
            **{key: metrics[key] for key in ("accepted", "criteria", "cost")},
            "models": {model: metrics["models"][model] for model in MODELS},
            "facts": document["facts"],
        }
    rows.update(found)
    return found


def cell(value: dict[str, Any]) -> str:
    if value["accuracy"] is None:
        return "–"
    low, high = value["interval"]
    return f"{100 * value['accuracy']:.1f} ({100 * low:.0f}–{100 * high:.0f})"


def to_markdown(rows: list[dict[str, Any]]) -> str:
    columns = [(part, split) for part in ("forget", "remain") for split in ("train", "test")]
    heads = " | ".join(f"{part} {split}" for part, split in columns)
    lines = [
        f"| bundle | data and cohort | model | {heads} | accepted |",
        "| --- | --- | --- |" + " ---: |" * 4 + " --- |",
    ]
    for row in rows:
        for name, table in row["models"].items():
            cells = " | ".join(cell(table[part][split]) for part, split in columns)
            accepted = ("yes" if row["accepted"] else "no") if name == "revised" else ""
            lines.append(f"| {row['bundle']} | {row['data']} | {name} | {cells} | {accepted} |")
    return "\n".join(lines)


def facts() -> dict[str, Any]:
    return {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("monai-unlearn", "monai", "torch")},
        "seeds": 1,
        "not_measured": "spread over seeds; GPU",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", help="only this one; the others keep their rows")
    parser.add_argument("--data", type=Path, help="the folder of real data; without it, phantoms only")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "bundle_tables")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    work, path = options.work.resolve(), options.results / "bundle_tables.json"
    kept = {(row["bundle"], row["data"]): row for row in json.loads(path.read_text())["rows"]} if path.exists() else {}
    order = list(odir_rows(options.results, kept))
    for walk in walks(work):
        order.append((walk.bundle, walk.data))
        wanted = options.bundle in (None, walk.bundle) and (options.data or not walk.real)
        if wanted and (BUNDLES / walk.bundle).is_dir():
            # Each row says when it was measured: rows of several days may stand in one table.
            found = {**measure(walk, options.data.resolve() if options.data else ROOT, work), "facts": facts()}
            kept[walk.bundle, walk.data] = found
            rows = [kept[key] for key in order if key in kept] + [row for key, row in kept.items() if key not in order]
            options.results.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"rows": rows}, indent=1) + "\n")
            text = "# Bundles: original, reference, revised\n\nMade by `benchmarks/bundle_tables.py`, one seed. "
            text += "Accuracy in %, 95 % Wilson; images count as independent.\n\n"
            path.with_suffix(".md").write_text(f"{text}{to_markdown(rows)}\n")
    print(path.with_suffix(".md").read_text() if path.exists() else "nothing measured")


if __name__ == "__main__":
    main()
