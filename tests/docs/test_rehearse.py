"""The walk-through of a rehearsal, run small: commands and specs are read from the page."""

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
import yaml
from nightly import nightly

from monai_unlearn.evaluation.decision.failure_bound import failure_bound
from monai_unlearn.evaluation.decision.protocol import Protocol

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "rehearse.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [
    shlex.split(line)
    for language, body in BLOCKS
    if language == "bash"
    for line in body.replace("\\\n", " ").splitlines()
]
SPECS = [body for language, body in BLOCKS if language == "yaml"]
# Fewer patients, pixels, passes and runs; otherwise the page's own words.
SMALL = {
    "2000": "150",
    "[32,32]": "[16,16]",
    "image_size=[32,32]": "image_size=[16,16]",
    "5": "1",
    "reset,finetune": "reset",
    "budget=0.3": "budget=0.6",  # of so short a training, references and recalibration take much
}
FEWER = {"--draw": "1", "--tune-on": "0", "--trials": "1"}


def small(words):
    found = [SMALL.get(word, word) for word in words]
    return [FEWER.get(before, word) for before, word in zip(["", *found], found, strict=False)]


def command(words, folder, codes=(0,)):
    program = {"python": [sys.executable, "-W", "ignore"], "monai-unlearn": [sys.executable, "-m", "monai_unlearn"]}
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [*program[words[0]], *small(words[1:])],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=600,
    )
    assert done.returncode in codes, done.stderr
    return done


@nightly
def test_every_command_of_the_page(tmp_path):
    draw, index, copy, train, rehearse, unlearn = COMMANDS
    assert copy == ["cp", "-r", "bundles/fundus_classifier", "bundle"]
    for words in (draw, index):
        command(words, tmp_path)
    shutil.copytree(ROOT / "bundles" / "fundus_classifier", tmp_path / "bundle")
    command(train, tmp_path)
    for name, text in zip(("next.yaml", "retired.yaml"), SPECS, strict=True):
        assert f"`{name}`" in PAGE
        (tmp_path / name).write_text(text, encoding="utf-8")
    command(rehearse, tmp_path)
    protocol = Protocol.read(tmp_path / "rehearsal" / "protocol.yaml")
    names = [one.cohort for one in protocol.rehearsal.evidence]
    assert names[0] == yaml.safe_load(SPECS[1])["name"]
    assert names[1].startswith("retire-spectralis-01-value-")
    assert {"training_recipe", "train", "learning_rate", "preprocessing"} <= set(protocol.config)
    command(unlearn, tmp_path, codes=(0, 3))
    metrics = json.loads((tmp_path / "revision" / "evidence" / "metrics.json").read_text(encoding="utf-8"))
    assert (metrics["basis"], metrics["references"]) == ("protocol", [])
    assert protocol.rehearsal.line in metrics["decision"]["line"]


def test_the_bounds_are_as_computed():
    headings, _, row = re.findall(r"^\| (?:counted|upper|---).*$", PAGE, re.MULTILINE)[-3:]
    counts = [int(cell) for cell in re.findall(r"\d+", headings)]
    percents = [int(cell) for cell in re.findall(r"(\d+) %", row)]
    assert percents == [round(100 * failure_bound(count, count)) for count in counts]


@pytest.mark.parametrize("option", ["--draw", "--tune-on", "--fix", "--accept_bound", "--protocol"])
def test_the_page_names_what_decides(option):
    assert option in PAGE
