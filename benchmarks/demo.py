"""The whole way once, on phantom studies: from DICOM files to a revised bundle and its card.

    make demo

Every step is a command that a user would type; it is printed before it runs.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUNDLE = ROOT / "bundles" / "fundus_classifier"
SPEC = ROOT / "cohort_specs" / "retire-camera.yaml"
NOT_ACCEPTED = 3


class Demo:
    """Runs steps one after the other, each announced with its command."""

    def __init__(self, out: Path, patients: int) -> None:
        self.out = out
        self.patients = patients
        self.step = 0
        self.environment = {**os.environ, "PYTHONWARNINGS": "ignore"}

    def run(self, title: str, *arguments: str, module: str) -> int:
        self.step += 1
        shown = "monai-unlearn" if module == "monai_unlearn" else f"python -m {module}"
        print(f"\n[{self.step}] {title}\n    $ {shown} {shlex.join(map(self.short, arguments))}\n", flush=True)
        command = [sys.executable, "-m", module, *arguments]
        code = subprocess.run(command, check=False, env=self.environment, cwd=ROOT).returncode
        if code not in (0, NOT_ACCEPTED):
            sys.exit(code)
        return code

    @staticmethod
    def short(argument: str) -> str:
        return argument.replace(f"{ROOT}/", "")

    def walk(self) -> int:
        studies, index, bundle = self.out / "studies", self.out / "index", self.out / "fundus_classifier"
        self.run(
            "Draw phantom fundus studies: real DICOM files of two cameras",
            *("phantom", "fundus", str(studies), "--patients", str(self.patients), "--seed", "0"),
            module="monai_unlearn",
        )
        self.run(
            "Index them, with their diagnoses",
            *("index", "build", str(studies), "--out", str(index), "--table", str(studies / "labels.csv")),
            *("--key", "SOPInstanceUID", "--label", "diagnosis"),
            module="monai_unlearn",
        )
        self.run(
            "Preview whom the spec catches",
            *("cohort", "preview", str(SPEC), "--index", str(index)),
            module="monai_unlearn",
        )
        shutil.copytree(BUNDLE, bundle, ignore=shutil.ignore_patterns("models"))
        configs = bundle / "configs"
        self.run(
            "Train the classifier that is deployed before the camera is retired",
            *("run", "train", "--config_file", str(configs / "train.yaml"), "--index_dir", str(index)),
            module="monai.bundle",
        )
        return self.run(
            "Unlearn the camera, beside a retrained reference",
            *("run", "unlearn", "--config_file", str(configs / "unlearn.yaml"), "--index_dir", str(index)),
            *("--cohort_spec", str(SPEC), "--output_dir", str(self.out / "revision"), "--reference", "retrain"),
            module="monai.bundle",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "demo", help="made anew at every run")
    parser.add_argument("--patients", type=int, default=300)
    options = parser.parse_args()
    started = time.monotonic()
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    code = Demo(options.out.resolve(), options.patients).walk()
    bundle = "revised_bundle" if code == 0 else "rejected_bundle"
    print(f"\nDone in {time.monotonic() - started:.0f} s. Read {options.out}/revision/model_card_diff.md;")
    print(f"the bundle is {options.out}/revision/{bundle}.")


if __name__ == "__main__":
    main()
