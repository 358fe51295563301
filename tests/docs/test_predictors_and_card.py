"""The commands of predictors.md and card.md, on one tiny run, which a measured predictor decides."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from bundle_run import BUNDLE, run
from protocol_example import content
from tiny import tiny_index, tiny_spec, write_images
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.evaluation.decision.protocol import Protocol
from monai_unlearn.release import BundleInfo, weights_digest

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(r"^```(bash)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
(PREDICTED,) = [body for _, body in BLOCK.findall((DOCS / "predictors.md").read_text(encoding="utf-8"))]
WITH_IMAGES, FOR_THE_HUB, CARDS = [body for _, body in BLOCK.findall((DOCS / "card.md").read_text(encoding="utf-8"))]
SHOW, DIFF = (shlex.split(re.sub(r"\[.*?\]", "", line)) for line in CARDS.splitlines())
CLASSES = ("up", "down")


def write_protocol(folder):
    """A protocol that measured the predictor on cohorts like the tiny one."""
    errors = [
        {"subset": subset, "class": label, "error": 0.04}
        for subset in ("forget_train", "forget_test")
        for label in CLASSES
    ]
    entry = {"name": "half_width", "reasons": ["device_deprecation"], "cohorts": 3, "seeds": 3, "errors": errors}
    given = content(predictors=[entry], decision={"healthy_classes": [], "min_patients": 2})
    given["settings"] = {"image_size": [16, 16], "max_epochs": 1, "steps": 2}
    weights = weights_digest(torch.load(folder / "my_bundle" / "models" / "model.pt", weights_only=True))
    given["bundle"] = {"name": BundleInfo.read(BUNDLE).name, "version": "0.1.0", "weights": weights}
    given["qualified_for"] |= {"patients": {"min": 1, "max": 99}, "share": {"min": 0.1, "max": 0.9}}
    given["qualified_for"]["classes"] = list(CLASSES)
    Protocol.from_dict(given, source="protocol.yaml").write(folder / "protocol.yaml")


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """The folder that both pages speak of, after the command of predictors.md, and what it printed."""
    folder = tmp_path_factory.mktemp("pages")
    shutil.copytree(BUNDLE, folder / "my_bundle")
    tiny_index(folder, frame=write_images(folder / "images", patients=48))
    tiny_spec(folder).rename(folder / "cohort.yaml")
    run("train", "train.yaml", bundle=folder / "my_bundle", index_dir=str(folder / "index"), max_epochs=1)
    write_protocol(folder)
    config = folder / "my_bundle" / "configs" / "unlearn.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("audits: default", "audits: []"), encoding="utf-8")
    _, *words = shlex.split(PREDICTED)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *words],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode in (0, 3), done.stderr
    return folder


@pytest.fixture
def bundle(walked, monkeypatch):
    """The bundle that the run wrote."""
    monkeypatch.chdir(walked)
    (made,) = Path("revision").glob("*_bundle")
    return made


def said(words, *options):
    done = CliRunner().invoke(app, [*words[1:], *options])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_measured_predictor_decides_as_the_page_says(bundle):
    metrics = json.loads(Path("revision/evidence/metrics.json").read_text(encoding="utf-8"))
    assert metrics["basis"] == "predicted"
    assert metrics["decision"]["predictor"]["name"] == "half_width"
    assert metrics["verdict"] in ("qualified", "inconclusive")


def test_cards_are_shown_and_compared_in_every_format(bundle):
    names = {"BUNDLE": str(bundle), "OLD": "my_bundle", "NEW": str(bundle)}
    show, diff = ([names.get(word, word) for word in words] for words in (SHOW, DIFF))
    assert json.loads(said(show, "--format", "json"))["revised"]["version"]
    compared = json.loads(said(diff, "--format", "json"))
    assert compared["patch"]
    for words in (show, diff):
        pages = [said(words, "--format", name) for name in ("html", "md", "chai")]
        assert [page.lstrip().split(maxsplit=1)[0] for page in pages] == ["<!doctype", "#", "<?xml"]
    material = CliRunner().invoke(app, [*diff[1:], "--fail-on", "material"])
    assert material.exit_code == 3


def test_images_are_on_the_page_that_stays_with_the_evidence(bundle):
    command, _, target = WITH_IMAGES.strip().partition(" > ")
    # The run's verdict decides the name of the folder.
    words = shlex.split(command.replace("revision/revised_bundle", str(bundle)))
    page = said(words)
    Path(target).write_text(page, encoding="utf-8")
    assert Path(target).parent == Path("revision/evidence")
    assert "data:image/" in page
    assert "data:image/" not in (bundle / "docs" / "model_card_diff.html").read_text(encoding="utf-8")


def test_front_matter_for_the_hub_stands_on_top(bundle):
    subprocess.run(["/bin/sh", "-c", FOR_THE_HUB], cwd=bundle, check=True)
    matter, _, text = (bundle / "README.md").read_text(encoding="utf-8").removeprefix("---\n").partition("\n---\n")
    assert {"base_model", "model-index"} <= yaml.safe_load(matter).keys()
    assert text == (bundle / "docs" / "model_card_diff.md").read_text(encoding="utf-8")
