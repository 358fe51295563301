"""Whether seeded runs give the same results in two commits: bytes of weights, digests, counts and exit codes.

    python scripts/same_results.py --base REVISION [--patients 300] [--out build/same_results.json]

Each bundle is trained, and revised beside a retrained reference, on phantom studies, once in a checkout of REVISION and
once in this one, by the commands that a user would type. A refactoring keeps every figure; this shows it. Both runs use
the same interpreter, libraries, threads and machine, since other hardware rounds differently.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent
RETIRE_CAMERA = "cohort_specs/retire-camera.yaml"
# The spec of the oculoplastic bundle lay elsewhere before; its text is the same.
BUNDLES = {
    "fundus_classifier": ("fundus", (RETIRE_CAMERA,)),
    "mri_classifier": ("mri", ("bundles/mri_classifier/docs/retire-scanner.yaml",)),
    "oculoplastic_classifier": (
        "periorbital",
        ("cohort_specs/fissure-above-11-mm.yaml", "benchmarks/periorbital_fissure.yaml"),
    ),
}


def results(checkout: Path, out: Path, *, bundles: Sequence[str], patients: int) -> dict[str, Any]:
    """Return what seeded runs give in a checkout, by bundle."""
    found = {}
    for bundle in bundles:
        phantom, specs = BUNDLES[bundle]
        found[bundle] = _revise(checkout, out / bundle, bundle, phantom, _first(checkout, specs), patients)
        print(f"{checkout.name}: {bundle} is done.", file=sys.stderr, flush=True)
    return found


def _first(checkout: Path, specs: tuple[str, ...]) -> Path:
    return next(checkout / spec for spec in specs if (checkout / spec).exists())


def _revise(checkout: Path, out: Path, bundle: str, phantom: str, spec: Path, patients: int) -> dict[str, Any]:
    studies, index, copy, revision = out / "studies", out / "index", out / bundle, out / "revision"
    run = _Runner(checkout)
    run("monai_unlearn", "phantom", phantom, studies, "--patients", patients, "--seed", 0)
    measured = phantom == "periorbital"
    run(
        "monai_unlearn",
        *("index", "build", studies / "images" if measured else studies, "--out", index),
        *("--table", studies / "labels.csv", "--key", "SOPInstanceUID", "--label", "diagnosis"),
        *(("--measures", studies / "reports") if measured else ()),
    )
    preview = run("monai_unlearn", "cohort", "preview", spec, "--index", index, "--json")
    subprocess.run(["cp", "-r", str(checkout / "bundles" / bundle), str(copy)], check=True)
    (copy / "models" / "model.pt").unlink()
    configs = copy / "configs"
    run("monai.bundle", "run", "train", "--config_file", configs / "train.yaml", "--index_dir", index)
    run(
        "monai.bundle",
        *("run", "unlearn", "--config_file", configs / "unlearn.yaml", "--index_dir", index),
        *("--cohort_spec", spec, "--output_dir", revision, "--reference", "retrain"),
    )
    # Without their paths: a commit may move files, as long as the weights in them stay the same.
    weights = sorted(_digest(path) for path in out.rglob("*.pt"))
    shown = json.loads(preview)
    counts = {key: shown[key] for key in ("spec_digest", "index_digest", "images", "patients")}
    return {"weights": weights, "cohort": counts, "exit_codes": run.codes}


class _Runner:
    """Runs modules of one checkout, and keeps their exit codes."""

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        self.codes: list[int] = []
        self.environment = {**os.environ, "PYTHONPATH": str(checkout), "PYTHONWARNINGS": "ignore"}

    def __call__(self, module: str, *arguments: object) -> str:
        done = subprocess.run(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=self.checkout,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
        )
        self.codes.append(done.returncode)
        if done.returncode not in (0, 3):
            sys.exit(f"{' '.join(map(str, arguments))} ended with {done.returncode}:\n{done.stderr}")
        return done.stdout


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Compare two checkouts; ends with 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", help="a commit to compare with; without one, the results of this checkout are shown")
    parser.add_argument("--bundle", choices=tuple(BUNDLES), action="append", help="all bundles by default")
    parser.add_argument("--patients", type=int, default=300)
    parser.add_argument("--out", type=Path, help="where to write both results as JSON")
    options = parser.parse_args()
    wanted: dict[str, Any] = {"bundles": options.bundle or tuple(BUNDLES), "patients": options.patients}
    with tempfile.TemporaryDirectory() as temporary:
        aside = Path(temporary)
        found = {"here": results(ROOT, aside / "here", **wanted)}
        if options.base:
            base = aside / "checkout"
            subprocess.run(["git", "-C", str(ROOT), "worktree", "add", "--detach", base, options.base], check=True)
            try:
                found["base"] = results(base, aside / "base", **wanted)
            finally:
                subprocess.run(["git", "-C", str(ROOT), "worktree", "remove", "--force", base], check=True)
    text = json.dumps(found, indent=2) + "\n"
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    if options.base:
        same = found["here"] == found["base"]
        print("The same." if same else "DIFFERENT.")
        sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
