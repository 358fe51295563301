from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from index_files import write_copies

from monai_unlearn.index.build import BuildRequest, build

UID = "2.25.100000000000000000000"
SCRIPT = Path(__file__).resolve().parents[1] / "support" / "index_killed.py"
FILES = 300


@pytest.mark.skipif(not hasattr(os, "fork"), reason="killed builds are forks")
def test_run_killed_at_any_moment_leaves_the_previous_index_and_can_be_continued(tmp_path, make_dicom):
    source = tmp_path / "images"
    original = make_dicom(tmp_path / "original", SOPInstanceUID=UID)
    write_copies(source, original, UID, 50)
    work = tmp_path / "work"
    previous = build(BuildRequest(sources=(source,), out=work / "previous"), track=iter).index.digest
    write_copies(source, original, UID, FILES)
    shutil.copytree(source, tmp_path / "elsewhere")
    expected = build(BuildRequest(sources=(tmp_path / "elsewhere",), out=tmp_path / "expected"), track=iter)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, SCRIPT, source, work], capture_output=True, text=True, check=True, env=environment
    )
    states = json.loads(done.stdout)
    assert len(states) == 16
    for name, state in states.items():
        new = name.startswith("after")
        assert state["ended"] == -9, name
        assert state["while_killed"] == (
            expected.index.digest if new else None if name.endswith("first build") else previous
        ), name
        assert (state["again"], state["after"], state["left"]) == (0, expected.index.digest, ["index"]), name
        assert state["digest"] == expected.index.digest, name
        fresh = FILES if name.endswith("first build") else FILES - 50
        kept = {"listing": 0, "first block": 0, "later block": 175}.get(name.rpartition(",")[0], fresh)
        assert state["read"] == fresh - kept if not new else state["read"] == 0, name
        assert state["resumed"] == (0 if new else kept), name
