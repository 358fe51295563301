"""The walk of the page on archives, as it is: from an empty Orthanc to reports in it, command by command."""

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
from nightly import nightly

from monai_unlearn.cohort import CohortSpec

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "pacs.md").read_text(encoding="utf-8")
WALK = PAGE[PAGE.index("## Try it") : PAGE.index("## What is asked")]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", WALK, re.MULTILINE | re.DOTALL)
(SPEC,) = (body for language, body in BLOCKS if language == "yaml")
COMMANDS = [
    shlex.split(line)
    for language, body in BLOCKS
    if language == "bash"
    for line in body.replace("\\\n", " ").splitlines()
]
PROGRAMS = {"python": [sys.executable], "monai-unlearn": [sys.executable, "-m", "monai_unlearn"]}
DEBIAN = "http://localhost:8042"


def run(words, folder, server):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1"}
    words = [word.replace(DEBIAN, server) for word in words]
    program = PROGRAMS.get(words[0], [shutil.which(words[0])])
    return subprocess.run(
        [*program, *words[1:]], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=900
    )


def test_the_spec_can_be_read(tmp_path):
    (tmp_path / "withdraw.yaml").write_text(SPEC, encoding="utf-8")
    assert CohortSpec.read(tmp_path / "withdraw.yaml").name == "withdraw-glaucoma"


@nightly
def test_the_walk_ends_with_reports_in_the_archive(tmp_path, orthanc):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: apt-get install curl")
    orthanc.clear()
    (tmp_path / "bundles").symlink_to(ROOT / "bundles")
    (tmp_path / "withdraw.yaml").write_text(SPEC, encoding="utf-8")
    *before, results = COMMANDS
    for words in before:
        done = run(words, tmp_path, orthanc.http)
        expected = int(re.search(r"the exit code is (\d)", WALK)[1]) if "unlearn" in words else 0
        assert done.returncode == expected, (words, done.stdout[-2000:], done.stderr[-4000:])
    metadata = json.loads((tmp_path / "revision" / "rejected_bundle" / "configs" / "metadata.json").read_text())
    assert results[results.index("--by-version") + 1] == "VERSION"
    results = [metadata["version"] if word == "VERSION" else word for word in results]
    sent = list((tmp_path / "eval" / "reports").rglob("*.dcm"))
    assert sent
    found = run([*results, "--json"], tmp_path, orthanc.http)
    assert len(json.loads(found.stdout)["results"]) == len(sent)
