"""Two processes that revise one network, over Gloo on the CPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import killed_run
import pytest
import torch
from bundle_run import JUDGED, PLAIN, ROOT

from monai_unlearn.engine import distributed, initialize, process_device
from monai_unlearn.errors import ConfigError, TrainingError

# Sums of float32 are in another order, and Adam divides gradients by their own size.
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def settings(tiny):
    return {
        **PLAIN,
        "index_dir": str(tiny.index),
        "cohort_spec": str(tiny.spec),
        "checkpoint": str(tiny.checkpoint),
        **JUDGED,
        "max_epochs": 3,
        "stop": {"seconds": 1000, "forget_accuracy": 0.0},
        "eval_interval": 2,
        "method::search_precision": "float32",
        "checkpoint_seconds": 0,
    }


def weights(folder):
    return torch.load(folder / "rejected_bundle" / "models" / "model.pt", weights_only=True)


@pytest.fixture(scope="module")
def two(settings, tmp_path_factory):
    """A run of two processes."""
    out = tmp_path_factory.mktemp("two") / "out"
    settings = {**settings, "output_dir": str(out)}
    assert killed_run.unlearn(settings, processes=2) == [0, 0], killed_run.log_of(settings)
    return out, killed_run.log_of(settings)


def test_two_processes_compute_what_one_does(settings, two, tmp_path):
    out, _ = two
    assert killed_run.unlearn({**settings, "output_dir": str(tmp_path / "out")}) == [0]
    alone, shared = weights(tmp_path / "out"), weights(out)
    assert max(float((alone[name] - shared[name]).abs().max()) for name in alone) < TOLERANCE
    costs = [
        json.loads((folder / "evidence" / "metrics.json").read_text())["cost"] for folder in (tmp_path / "out", out)
    ]
    assert costs[0]["gradient_evaluations"] == costs[1]["gradient_evaluations"]
    assert json.loads((out / "evidence" / "run.json").read_text())["machine"]["processes"] == 2


def test_each_output_is_written_and_printed_once(two):
    out, printed = two
    assert sorted(path.name for path in out.parent.iterdir()) == ["out", "out.log"]
    assert printed.count("Model-card difference:") == printed.count("Unlearning: step 1/6") == 1


def test_a_process_that_dies_ends_the_run_and_the_same_command_resumes_it(settings, two, tmp_path):
    settings = {**settings, "output_dir": str(tmp_path / "out")}
    started = time.monotonic()
    first, second = killed_run.unlearn(settings, die=("step", 3), processes=2)
    assert (first, second) == (1, -9)
    assert time.monotonic() - started < 60
    printed = killed_run.log_of(settings)
    assert "another process of this run ended or did not answer" in printed
    assert "The last good checkpoint, of step 2, is kept in" in printed
    assert killed_run.unlearn(settings, processes=2) == [0, 0]
    assert killed_run.log_of(settings).count("Resuming from step 2 of 6.") == 1
    assert killed_run.digest(tmp_path / "out") == killed_run.digest(two[0])


def test_torchrun_ends_when_a_process_dies(tmp_path):
    """Without a run around it and without MONAI, so that little is imported: initialise, reduce, die."""
    script = tmp_path / "script.py"
    script.write_text(
        "import importlib.util, os, signal, time, torch\n"
        f"found = importlib.util.spec_from_file_location('distributed', {distributed.__file__!r})\n"
        "distributed = importlib.util.module_from_spec(found)\n"
        "found.loader.exec_module(distributed)\n"
        "distributed.initialize(device='cpu', timeout=60)\n"
        "assert distributed.all_reduce_sum(torch.tensor(float(distributed.rank() + 1))) == 3\n"
        "assert distributed.broadcast(0.5 + distributed.rank(), torch.device('cpu')) == 0.5\n"
        "tensors = [torch.full((2,), float(distributed.rank()))]\n"
        "assert distributed.average(float(distributed.rank()), tensors, torch.device('cpu')) == 0.5\n"
        "assert tensors[0].tolist() == [0.5, 0.5]\n"
        "if distributed.rank() == 1:\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "time.sleep(60)\n"
    )
    started = time.monotonic()
    found = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", str(script)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1"},
        timeout=200,
    )
    assert found.returncode != 0
    assert "Process 0 received SIGTERM, most likely because another process of this run ended" in found.stderr
    assert "AssertionError" not in found.stderr
    assert time.monotonic() - started < 120


def test_a_single_process_needs_no_communication():
    tensors = [torch.ones(2)]
    assert (distributed.rank(), distributed.world_size(), distributed.is_main_process()) == (0, 1, True)
    assert distributed.all_reduce_sum(tensors[0]) is tensors[0]
    assert distributed.broadcast(0.25, torch.device("cpu")) == 0.25
    assert distributed.average(3.0, tensors, torch.device("cpu")) == 3.0
    distributed.wait()


def test_a_lost_process_gives_a_clear_error(monkeypatch):
    monkeypatch.setattr(distributed, "world_size", lambda: 2)

    def lost(_tensor):
        raise RuntimeError("Connection closed by peer")

    monkeypatch.setattr(distributed.idist, "all_reduce", lost)
    with pytest.raises(TrainingError, match="another process of this run ended or did not answer .* in process 0"):
        distributed.all_reduce_sum(torch.ones(1))


def test_the_overlay_needs_torchrun(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with pytest.raises(ConfigError, match="needs several processes. Start them with torchrun"):
        initialize(device="cpu")


def test_each_process_has_a_device_of_its_own(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "3")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert process_device() == "cuda:3"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert process_device() == "cpu"
