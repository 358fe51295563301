"""The application of `examples/map/` on MONAI Deploy and Holoscan themselves: `docs/deploy.md` to the letter."""

from __future__ import annotations

import os
import re
import resource
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from deploy_operator import Operator
from monai.bundle import ConfigParser
from report_items import items

from monai_unlearn.phantom import write_fundus_studies, write_mri_studies, write_periorbital_studies
from monai_unlearn.release.torchscript import export_torchscript

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
(WALK,) = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PYTHON = os.environ.get("MONAI_UNLEARN_DEPLOY_PYTHON", "")

pytestmark = [
    pytest.mark.skipif(not PYTHON, reason="MONAI Deploy has an environment of its own: run `make deploy-sdk`"),
    pytest.mark.filterwarnings("ignore:`torch.jit.load` is deprecated:DeprecationWarning"),
]

PHANTOMS = {
    "fundus_classifier": lambda out: write_fundus_studies(out, patients=1, size=64),
    "mri_classifier": lambda out: write_mri_studies(out, patients=1, size=64),
    "oculoplastic_classifier": lambda out: write_periorbital_studies(out, patients=1, size=64),
}


def run(words, folder):
    """Run a command of the page; `python` is the one of MONAI Deploy."""
    stack = 32 << 20
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    return subprocess.run(
        [PYTHON if words[0] == "python" else shutil.which(words[0]), *words[1:]],
        cwd=folder,
        env={
            **os.environ,
            "LD_LIBRARY_PATH": str(next(Path(PYTHON).parents[1].glob("lib/*/site-packages/nvidia/*/lib"))),
        },
        capture_output=True,
        text=True,
        check=False,
        # A process that does not end fails here.
        timeout=600,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_STACK, (stack, hard)),
    )


def prepared(name, folder):
    """Lay out what the page begins with: the application, images, and an exported bundle."""
    shutil.copytree(ROOT / "examples", folder / "examples")
    PHANTOMS[name](folder / "images")
    bundle = folder / "revision" / "revised_bundle"
    shutil.copytree(ROOT / "bundles" / name, bundle)
    export_torchscript(bundle)
    return bundle


def expected(bundle, folder):
    """Return the probabilities of the stand-in for every image with pixels to classify, by SOPInstanceUID."""
    parser = ConfigParser(ConfigParser.load_config_file(str(bundle / "configs" / "inference.yaml")))
    loading, operator = parser.get_parsed_content("loading"), Operator(bundle / "models" / "model.ts")
    found = {}
    for path in folder.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        if "PixelData" in dataset and dataset.Modality != "SEG":
            pixels = np.asarray(loading({"image": str(path)})["image"])
            found[dataset.SOPInstanceUID] = operator(pixels)["pred"]["probabilities"]
    return found


@pytest.mark.parametrize("name", sorted(PHANTOMS))
def test_the_page_leads_to_a_report_for_every_image(name, tmp_path):
    bundle = prepared(name, tmp_path)
    for line in WALK.splitlines():
        done = run(shlex.split(line), tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    reports = {path.stem: pydicom.dcmread(path) for path in (tmp_path / "reports").iterdir()}
    predicted = expected(bundle, tmp_path / "images")
    assert reports.keys() == predicted.keys()
    assert reports
    for uid, report in reports.items():
        found = [
            item for item in items(report) if item.ConceptNameCodeSequence[0].CodeMeaning.startswith("Probability")
        ]
        written = [float(item.MeasuredValueSequence[0].NumericValue) for item in found]
        assert written == pytest.approx(predicted[uid], abs=1e-5)


def test_a_model_beside_its_folder_is_named(tmp_path):
    prepared("fundus_classifier", tmp_path)
    (tmp_path / "models").mkdir()
    shutil.copy(tmp_path / "revision" / "revised_bundle" / "models" / "model.ts", tmp_path / "models")
    done = run(shlex.split(WALK.splitlines()[-1]), tmp_path)
    assert done.returncode != 0
    assert "expected one folder that holds only model.ts" in done.stderr
