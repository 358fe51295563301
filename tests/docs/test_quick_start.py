"""The quick start of the site, as it is: commands, spec and snippet are read from the page and run in their order."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from nightly import nightly

from monai_unlearn.cohort import CohortSpec

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
(SPEC,) = (body for language, body in BLOCKS if language == "yaml")
(SNIPPET,) = (body for language, body in BLOCKS if language == "python")
PROGRAMS = {"python": [sys.executable], "monai-unlearn": [sys.executable, "-m", "monai_unlearn"]}


def commands():
    lines = "".join(body for language, body in BLOCKS if language == "bash").replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines]


def run(words, folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1"}
    program = PROGRAMS.get(words[0], [shutil.which(words[0])])
    return subprocess.run(
        [*program, *words[1:]], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=900
    )


def test_the_spec_can_be_read(tmp_path):
    (tmp_path / "retire-camera.yaml").write_text(SPEC, encoding="utf-8")
    assert CohortSpec.read(tmp_path / "retire-camera.yaml").name == "retire-cirrus-800-fa"


@nightly
def test_the_page_leads_to_the_verdict_that_it_shows(tmp_path):
    (tmp_path / "bundles").symlink_to(ROOT / "bundles")
    (tmp_path / "retire-camera.yaml").write_text(SPEC, encoding="utf-8")
    *before, unlearn = commands()
    for words in before:
        done = run(words, tmp_path)
        assert done.returncode == 0, (words, done.stderr)
    assert "unlearn" in unlearn
    done = run(unlearn, tmp_path)
    code = int(re.search(r"the exit code is (\d)", PAGE)[1])
    assert done.returncode == code, done.stderr
    assert (tmp_path / "revision" / "rejected_bundle").is_dir()
    assert (tmp_path / "revision" / "evidence" / "model_card_diff.html").is_file()
    verdict = run(["python", "-c", SNIPPET], tmp_path).stdout.splitlines()[0]
    assert f"the verdict is `{verdict}`" in PAGE
    metrics = json.loads((tmp_path / "revision" / "evidence" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["verdict"] == verdict
