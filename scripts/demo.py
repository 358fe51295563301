"""Run the whole workflow once on phantom studies: from DICOM files to a revised bundle and its card.

    make demo
    make demo BUNDLE=mri_classifier

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
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUNDLES = ROOT / "bundles"
SPECS = ROOT / "cohort_specs"
NOT_ACCEPTED = 3


@dataclass(frozen=True, kw_only=True)
class Story:
    """The studies that are drawn, and the cohort that is then forgotten.

    Attributes:
        phantom: The kind of phantom studies.
        drawn: What they are, in words.
        spec: The cohort spec.
        forgotten: What it forgets, in words.
        images: The folder of images within the studies.
        measures: The folder of measurement reports within the studies, if any.
    """

    phantom: str
    drawn: str
    spec: Path
    forgotten: str
    images: str = "."
    measures: str | None = None


STORIES = {
    "fundus_classifier": Story(
        phantom="fundus",
        drawn="fundus studies: real DICOM files of two cameras",
        spec=SPECS / "retire-camera.yaml",
        forgotten="the retired camera",
    ),
    "mri_classifier": Story(
        phantom="mri",
        drawn="MR studies of the head: real DICOM files of three scanners",
        spec=BUNDLES / "mri_classifier" / "docs" / "retire-scanner.yaml",
        forgotten="the retired scanner",
    ),
    "oculoplastic_classifier": Story(
        phantom="periorbital",
        drawn="photographs of both eyes, with measurement reports",
        spec=SPECS / "fissure-above-11-mm.yaml",
        forgotten="the photographs of unusual anatomy",
        images="images",
        measures="reports",
    ),
}


class Demo:
    """Runs the steps in order, and prints each command before it runs."""

    def __init__(self, out: Path, patients: int, bundle: str) -> None:
        self.out = out
        self.bundle = bundle
        self.story = STORIES[bundle]
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
        studies, index, bundle = self.out / "studies", self.out / "index", self.out / self.bundle
        story = self.story
        self.run(
            f"Draw phantom {story.drawn}",
            *("phantom", story.phantom, str(studies), "--patients", str(self.patients), "--seed", "0"),
            module="monai_unlearn",
        )
        self.run(
            "Index them with their diagnoses",
            *("index", "build", str(studies / story.images), "--out", str(index)),
            *("--table", str(studies / "labels.csv"), "--key", "SOPInstanceUID", "--label", "diagnosis"),
            *(("--measures", str(studies / story.measures)) if story.measures else ()),
            module="monai_unlearn",
        )
        self.run(
            "Preview which images the spec selects",
            *("cohort", "preview", str(story.spec), "--index", str(index)),
            module="monai_unlearn",
        )
        shutil.copytree(BUNDLES / self.bundle, bundle, ignore=shutil.ignore_patterns("models"))
        configs = bundle / "configs"
        self.run(
            "Train the classifier to be deployed",
            *("run", "train", "--config_file", str(configs / "train.yaml"), "--index_dir", str(index)),
            module="monai.bundle",
        )
        return self.run(
            f"Unlearn {story.forgotten}, beside a retrained reference",
            *("run", "unlearn", "--config_file", str(configs / "unlearn.yaml"), "--index_dir", str(index)),
            *("--cohort_spec", str(story.spec), "--output_dir", str(self.out / "revision"), "--reference", "retrain"),
            module="monai.bundle",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "demo", help="overwritten by every run")
    parser.add_argument("--patients", type=int, default=300)
    parser.add_argument("--bundle", choices=tuple(STORIES), default="fundus_classifier")
    options = parser.parse_args()
    started = time.monotonic()
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    code = Demo(options.out.resolve(), options.patients, options.bundle).walk()
    bundle = "revised_bundle" if code == 0 else "rejected_bundle"
    print(f"\nDone in {time.monotonic() - started:.0f} s. Read {options.out}/revision/evidence/model_card_diff.md;")
    print(f"the bundle is {options.out}/revision/{bundle}.")


if __name__ == "__main__":
    main()
