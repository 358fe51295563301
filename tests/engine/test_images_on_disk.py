"""Images that do not fit into memory are on disk: with the same weights, nothing left, and no image decoded in vain."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from unittest import mock

import killed_run
import pytest
from bundle_run import BUNDLE, JUDGED, PLAIN, TINY

from monai_unlearn.data import InMemoryDataset

STEPS = {"phases": [], "steps": 3, "stop": {}, "checkpoint_seconds": 0}
# The recipe of the record is that of the reference.
RETRAINED = {"reference": "retrain", "reference_seeds": 1}


@pytest.fixture(scope="module")
def settings(tiny):
    return {
        **PLAIN,
        **STEPS,
        **JUDGED,
        "index_dir": str(tiny.index),
        "cohort_spec": str(tiny.spec),
        "checkpoint": str(tiny.checkpoint),
    }


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_weights_are_the_same_and_nothing_is_left(settings, tmp_path):
    digests = []
    for name, memory, workers in (("memory", "auto", 0), ("disk", "1 KB", 0), ("workers", 0, 2)):
        out = tmp_path / name / "out"
        out.parent.mkdir()
        overrides = {"subsets::memory": memory, "num_workers": workers, "output_dir": str(out)}
        assert killed_run.unlearn({**settings, **RETRAINED, **overrides}) == [0], killed_run.log_of(overrides)
        weights = out / "evidence" / "reference"
        digests.append((killed_run.digest(out), [path.read_bytes() for path in sorted(weights.rglob("*.pt"))]))
        assert names(out.parent) == ["out", "out.log"]
        told = "decoded images need" in killed_run.log_of(overrides)
        assert told == (name != "memory")
    assert digests[0] == digests[1] == digests[2]


def test_a_reference_is_trained_on_what_is_on_disk_already(tiny, tmp_path):
    with mock.patch.object(InMemoryDataset, "keep", autospec=True, side_effect=InMemoryDataset.keep) as keep:
        tiny.unlearn(tmp_path / "out", **RETRAINED, **{"subsets::memory": 0})
    # Of the run and of the reference, one image each, by which the place is chosen.
    assert keep.call_count == 2


def test_a_killed_run_resumes_with_another_memory_and_removes_what_was_left(settings, tmp_path):
    settings = {**settings, "output_dir": str(tmp_path / "out")}
    assert killed_run.unlearn({**settings, "subsets::memory": 0}, die=("step", 2)) == [-9]
    left = [path for path in tmp_path.iterdir() if path.name.startswith(".monai-unlearn-images-")]
    assert left
    for path in left:
        os.utime(path, (0, 0))
    assert killed_run.unlearn({**settings, "subsets::memory": "1KB"}) == [0], killed_run.log_of(settings)
    assert "Resuming from step" in killed_run.log_of(settings)
    assert names(tmp_path) == ["out", "out.log"]


def test_a_full_disk_ends_the_run_with_exit_code_2(settings, tmp_path):
    """A limit on the size of files stands for a full disk."""
    words = {**TINY, "force": True, **settings, "output_dir": str(tmp_path / "out"), "subsets::memory": 0}
    found = subprocess.run(
        [
            *(sys.executable, "-m", "monai.bundle", "run", "unlearn"),
            *("--config_file", str(BUNDLE / "configs" / "unlearn.yaml")),
            *(word for name, value in words.items() for word in (f"--{name}", str(value))),
        ],
        # Coverage would write files of its own, and fail at the limit too.
        env={name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
        | {"PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000)),
    )
    assert found.returncode == 2, found.stderr
    assert "cache_dir: the decoded images need" in found.stderr.splitlines()[-1]
    assert "Free some space, or choose another disk: --subsets::cache_dir FOLDER" in found.stderr.splitlines()[-1]
    assert "Traceback" not in found.stderr
    assert names(tmp_path) == []
