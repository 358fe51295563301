"""What does unlearning do in each bundle, class by class, and what is the verdict beside three retrained networks?

    python benchmarks/cohort_verdicts.py                              # phantoms
    python benchmarks/cohort_verdicts.py --data FOLDER                # real photographs and slices too
    python benchmarks/cohort_verdicts.py --case odir-truncated-field --data FOLDER --device cuda

Each case is a bundle, data and a cohort, run by the bundle's own commands: index, train, then unlearn by each method
beside the same three retrained networks. PSG and `reset` run under three seeds on the photographs of ODIR-5K.
Baselines: fine-tuning on remain with as many steps, and boundary_shrink (Chen et al. 2023: SGD at 1e-5, ten passes,
BatchNorm in train mode, no remain loss, no recalibration). Of real data only counts are kept.

`fov_style_inferred` was inferred from pixels: a proxy for camera or site, never a device tag. The other cohort of
ODIR-5K is a quarter of the patients with one diagnosis, drawn by a seed. Slices of the brain MRI name no patient.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mri_training
from benchmark_options import parser_of
from demo_cohorts import index_of
from results_file import ROOT, facts, write

from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

NAME = "cohort_verdicts"
BUNDLES = ROOT / "bundles"
SPECS = ROOT / "cohort_specs"
NOT_ACCEPTED = 3
SUBSETS = ("forget_train", "forget_test", "remain_test")
ODIR_CLASSES = ["N", "D", "G", "C", "A", "M"]
# N, a normal fundus, is the class that means no disease.
ODIR = ("--class_names", str(ODIR_CLASSES), "--image_size", "[64, 64]", "--decision::healthy_classes", "['N']")
BOUNDARY_SHRINK = (
    *("--method", "{name: psg, preset: boundary_shrink, remain_weight: 0.0}"),
    "--train::optimizer",
    "{'_target_': 'torch.optim.SGD', 'params': '$@network.parameters()', 'lr': 0.00001, 'momentum': 0.9}",
    *("--phases", "[]", "--max_epochs", "10", "--batch_size", "64", "--stop", "{'steps': 1000000}"),
    *("--recalibrate", "False"),
)
METHODS: dict[str, tuple[str, ...]] = {
    "psg": ("--method", "psg"),
    "reset": ("--method", "reset"),
    "finetune": ("--method", "{name: finetune, batch_norm: mixed}"),
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One bundle, the data that it is trained on, and the cohort that it forgets.

    Attributes:
        bundle: The name of its folder.
        title: What tables call data and cohort.
        spec: The cohort.
        index: Builds the index, from the folder of real data and a folder to work in.
        settings: Options given to every command that has them.
        methods: The options of each method.
        seeds: The seeds of PSG and `reset`; the baselines run under the first.
        real: Whether it needs real data.
    """

    bundle: str
    title: str
    spec: Path
    index: Callable[[Path, Path], Path]
    settings: tuple[str, ...] = ()
    methods: Mapping[str, tuple[str, ...]]
    seeds: tuple[int, ...] = (0,)
    real: bool = False


def phantoms(bundle: str, patients: int) -> Callable[[Path, Path], Path]:
    return lambda _, work: index_of(bundle, patients, work)


def brain_mri(data: Path, work: Path) -> Path:
    return mri_training.build_index(data / "brain_mri", work)


def odir(data: Path, work: Path) -> Path:
    folder, index = data / "fundus_odir", work / "index"
    table = ("--table", folder / "metadata.csv", "--key", "filename", "--label", "eye_label")
    run("monai_unlearn", "index", "build", folder / "images", "--out", index, *table)
    return index


CASES = {
    "fundus-camera": Case(
        bundle="fundus_classifier",
        title="phantoms, 300 patients: retire a camera",
        spec=SPECS / "retire-camera.yaml",
        index=phantoms("fundus_classifier", 300),
        methods=METHODS,
    ),
    "mri-scanner": Case(
        bundle="mri_classifier",
        title="phantoms, 300 patients: retire a scanner",
        spec=BUNDLES / "mri_classifier" / "docs" / "retire-scanner.yaml",
        index=phantoms("mri_classifier", 300),
        methods=METHODS,
    ),
    "mri-pituitary": Case(
        bundle="mri_classifier",
        title="Nickparvar brain MRI: a class, pituitary",
        spec=ROOT / "benchmarks" / "forget_pituitary.yaml",
        index=brain_mri,
        methods=METHODS,
        real=True,
    ),
    "oculoplastic-fissure": Case(
        bundle="oculoplastic_classifier",
        title="phantoms, 600 patients: wide palpebral fissure",
        spec=SPECS / "fissure-above-11-mm.yaml",
        index=phantoms("oculoplastic_classifier", 600),
        methods=METHODS,
    ),
    "odir-truncated-field": Case(
        bundle="fundus_classifier",
        title="ODIR-5K: photographs with a truncated field",
        spec=SPECS / "odir-truncated-field.yaml",
        index=odir,
        settings=ODIR,
        methods={**METHODS, "boundary_shrink": BOUNDARY_SHRINK},
        seeds=(0, 1, 2),
        real=True,
    ),
    "odir-quarter-of-one-class": Case(
        bundle="fundus_classifier",
        title="ODIR-5K: a quarter of one class",
        spec=ROOT / "benchmarks" / "odir_quarter_of_one_class.yaml",
        index=odir,
        settings=ODIR,
        methods={**METHODS, "boundary_shrink": BOUNDARY_SHRINK},
        seeds=(0, 1, 2),
        real=True,
    ),
}


def run(*words: str | Path) -> int:
    """Run a module as a user does; 0 and 3 (not promoted) are results, anything else stops the benchmark."""
    command = [sys.executable, "-W", "ignore", "-m", *map(str, words)]
    code = subprocess.run(command, check=False, cwd=ROOT).returncode
    if code not in (0, NOT_ACCEPTED):
        sys.exit(f"{' '.join(command[4:8])} ended with {code}")
    return code


class Bench:
    """Runs one case in a folder, where a second run uses again what is there."""

    def __init__(self, name: str, data: Path | None, work: Path, device: str) -> None:
        self.case, self.work = CASES[name], work / name
        self.work.mkdir(parents=True, exist_ok=True)
        self.configs = BUNDLES / self.case.bundle / "configs"
        self.checkpoint = self.work / "original" / "model.pt"
        index = self.case.index(data or work, self.work)
        self.common = ("--index_dir", index, "--checkpoint", self.checkpoint, "--device", device)

    def measured(self) -> dict[str, Any]:
        """Train, unlearn by each method, and return what is kept of it."""
        case = self.case
        self.train()
        runs = {name: [self.revised(name, seed) for seed in self._seeds(name)] for name in case.methods}
        first = self._read("psg", 0)
        manifest = json.loads(RunFolder(self.work / "psg-0").manifest.read_text(encoding="utf-8"))
        training = json.loads(self.checkpoint.with_name("training.json").read_text(encoding="utf-8"))
        return {
            "bundle": case.bundle,
            "title": case.title,
            "spec": manifest["spec"]["content"]["name"],
            "images": manifest["images"],
            "patients": manifest["patients"],
            "classes": first["class_names"],
            "declared": first["decision"]["declared"],
            "training": {key: training[key] for key in ("images", "seconds", "gradient_evaluations")},
            "original": counted(first["models"]["original"]),
            "original_recalibrated": counted(first["models"]["original_recalibrated"]),
            "retrained": [counted(first["models"][name]) for name in first["models"] if name.startswith("reference")],
            "runs": runs,
        }

    def train(self) -> None:
        """Train the original, unless an earlier run did."""
        if not self.checkpoint.is_file():
            # The decision is no setting of training.
            settings = self.case.settings
            settings = settings[: settings.index("--decision::healthy_classes")] if settings else ()
            train = ("--cohort_spec", self.case.spec, *settings)
            run("monai.bundle", "run", "train", "--config_file", self.configs / "train.yaml", *self.common, *train)

    def _seeds(self, method: str) -> tuple[int, ...]:
        return self.case.seeds if method in ("psg", "reset") else self.case.seeds[:1]

    def revised(self, method: str, seed: int) -> dict[str, Any]:
        """Revise by a method under a seed, unless an earlier run did; return what is kept of it."""
        out = self.work / f"{method}-{seed}"
        if not out.exists():
            kept = RunFolder(self.work / "psg-0").references() if (self.work / "psg-0").exists() else []
            reference = json.dumps([str(path / "model.pt") for path in kept]) if kept else "retrain"
            words = ("--cohort_spec", self.case.spec, "--output_dir", out, "--reference", reference)
            config = ("--config_file", self.configs / "unlearn.yaml", "--seed", str(seed))
            settings = (*self.case.settings, *self.case.methods[method])
            run("monai.bundle", "run", "unlearn", *config, *self.common, *words, *settings)
        metrics = self._read(method, seed)
        cost = metrics["cost"]
        return {
            "seed": seed,
            "verdict": metrics["verdict"],
            "line": metrics["decision"]["line"],
            "why": metrics["why"],
            "needs": [one["text"] for one in metrics["needs"]],
            "revised": counted(metrics["models"]["revised"]),
            "recalibrated": counted(metrics["models"]["revised_recalibrated"]),
            "endpoints": [_endpoint(one) for one in metrics["decision"]["endpoints"] if one["revised"] is not None],
            "gradients": cost["gradient_evaluations"]["unlearning"],
            "share_of_retraining": cost["share_of_retraining_gradients"],
            "share_with_references": cost["share_with_references"],
            "seconds": cost["seconds"]["unlearning"],
            "retraining_seconds": cost["seconds"]["retraining"],
            **({"audits": metrics["audits"]} if "audits" in metrics else {}),
        }

    def _read(self, method: str, seed: int) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            RunFolder(self.work / f"{method}-{seed}").metrics.read_text(encoding="utf-8")
        )
        return found


def counted(models: dict[str, Any]) -> dict[str, dict[str, list[int]]]:
    """Return [images, correct] of each subset, in all (``) and by class."""
    found = {}
    for subset in SUBSETS:
        part, split = subset.split("_")
        rows = {"": models[part][split], **models[part][split]["classes"]}
        found[subset] = {name: [row["n"], round(row["n"] * (row["accuracy"] or 0))] for name, row in rows.items()}
    return found


def _endpoint(row: dict[str, Any]) -> list[Any]:
    """Return an endpoint in short: what, the revised network, its target, the interval of d, and what was found."""
    low, high = row["interval"]
    figures = [round(one, 4) for one in (row["revised"], row["target"], low, high)]
    return [row["subset"], row["class"], row["predicted"], row["measure"], *figures, row["G"], row["status"]]


def main() -> None:
    parser = parser_of(__doc__, work=NAME, data=True)
    parser.add_argument("--case", choices=tuple(CASES), action="append", help="only these; otherwise all")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    data, work = (one.resolve() if one else None for one in (options.data, options.work))
    for name in options.case or CASES:
        if CASES[name].real and data is None:
            continue
        found = Bench(name, data, work, options.device).measured()
        # Each case has a file of its own: cases may be measured side by side, or on several days.
        about = facts("monai-unlearn", "monai", "torch", device=options.device, not_measured="spread over originals")
        write({**found, "facts": about}, f"verdicts_{name.replace('-', '_')}", options.results)
        for method, runs in found["runs"].items():
            print(f"{name}, {method}: {', '.join(one['verdict'] for one in runs)}", flush=True)


if __name__ == "__main__":
    main()
