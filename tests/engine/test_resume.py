"""A killed run resumes from its checkpoint and ends with bit-identical weights."""

from __future__ import annotations

import json

import killed_run
import pytest
from bundle_run import JUDGED, PLAIN

PHASES = [
    {"name": "forget", "steps": 4, "learning_rate": 0.001},
    {"name": "repair", "steps": 3, "learning_rate": 0.002, "decay": "cosine"},
]


@pytest.fixture(scope="module")
def settings(tiny):
    return {
        **PLAIN,
        "index_dir": str(tiny.index),
        "cohort_spec": str(tiny.spec),
        "checkpoint": str(tiny.checkpoint),
        **JUDGED,
        "phases": PHASES,
        "checkpoint_seconds": 0,
        "method::noise": 0.1,
        # The condition holds for a while: a pause and the schedule of evaluations are part of the checkpoint.
        "stop": {"forget_accuracy": 0.95, "when_met": "pause"},
        "eval_interval": 2,
    }


@pytest.fixture(scope="module")
def whole(settings, tmp_path_factory):
    """The output of a run that is not killed."""
    out = tmp_path_factory.mktemp("whole") / "out"
    assert killed_run.unlearn({**settings, "output_dir": str(out)}) == [0]
    return out


def killed_and_resumed(settings, die):
    assert killed_run.unlearn(settings, die=die) == [-9]
    # What was searched is not searched again: of five chunks, at most four are left.
    assert killed_run.unlearn(settings, die=("search", 5)) == [0], killed_run.log_of(settings)
    return killed_run.log_of(settings)


@pytest.mark.parametrize(
    ("die", "resumes_at"),
    [
        (("search", 3), None),
        (("checkpoint", 5), 3),
        (("checkpoint", 7), 5),
        (("end", 1), 7),
    ],
    ids=lambda value: f"{value[0]} {value[1]}" if isinstance(value, tuple) else "",
)
def test_killed_anywhere_the_weights_are_the_same(settings, whole, tmp_path, die, resumes_at):
    settings = {**settings, "output_dir": str(tmp_path / "out")}
    printed = killed_and_resumed(settings, die)
    assert killed_run.digest(tmp_path / "out") == killed_run.digest(whole)
    assert (f"Resuming from step {resumes_at} of 7." in printed) == (resumes_at is not None)
    found, expected = (
        json.loads((out / "evidence" / "run.json").read_text())["updates"] for out in (tmp_path / "out", whole)
    )
    assert found.pop("resumed_at_steps") == ([] if resumes_at is None else [resumes_at])
    assert found == {name: value for name, value in expected.items() if name != "resumed_at_steps"}
    assert len(found["history"]) > 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.log"]


def test_killed_long_after_a_checkpoint(settings, whole, tmp_path):
    settings = {**settings, "output_dir": str(tmp_path / "out"), "checkpoint_seconds": 600}
    assert "Resuming from step 0 of 7." in killed_and_resumed(settings, ("step", 6))
    assert killed_run.digest(tmp_path / "out") == killed_run.digest(whole)


def test_a_reference_is_not_retrained(settings, tmp_path):
    settings = {
        **settings,
        "output_dir": str(tmp_path / "out"),
        "reference": "retrain",
        "reference_seeds": 2,
    }
    assert killed_run.unlearn(settings, die=("reference", 1)) == [-9]
    assert killed_run.unlearn(settings) == [0], killed_run.log_of(settings)
    for seed in (1, 2):
        assert killed_run.log_of(settings).count(f"Retraining the reference, seed {seed}: step 1/") == 1
        assert (tmp_path / "out" / "evidence" / "reference" / f"seed-{seed}" / "training.json").is_file()


def test_another_command_does_not_resume_it(settings, tmp_path):
    settings = {**settings, "output_dir": str(tmp_path / "out")}
    assert killed_run.unlearn(settings, die=("step", 2)) == [-9]
    assert killed_run.unlearn({**settings, "learning_rate": 0.1}) == [2]
    assert "holds the checkpoint of a run with another learning_rate" in killed_run.log_of(settings)
    state = next((tmp_path / ".out.checkpoint").glob("updates.*")) / "model.pt"
    content = bytearray(state.read_bytes())
    content[-100] ^= 1
    state.write_bytes(bytes(content))
    assert killed_run.unlearn(settings) == [2]
    assert "its SHA-256 digest does not match" in killed_run.log_of(settings)


def test_the_weights_are_the_same_with_any_number_of_workers(settings, whole, tmp_path):
    settings = {**settings, "output_dir": str(tmp_path / "out"), "num_workers": 2}
    assert killed_run.unlearn(settings) == [0]
    assert killed_run.digest(tmp_path / "out") == killed_run.digest(whole)


RESET = ("batch_size", "remain_batch_size", "learning_rate")


def test_a_reset_resumes_with_the_augmentation_that_it_would_have_drawn(settings, tmp_path):
    """Fresh layers, training's optimiser and its random flips: the weights are the same, killed or not, and twice."""
    plain = {name: value for name, value in settings.items() if not name.startswith("method") and name not in RESET}
    plain |= {"method": "reset", "phases": [{"name": "forget", "steps": 6, "learning_rate": 0.002}], "stop": None}
    for name in ("whole", "again"):
        assert killed_run.unlearn({**plain, "output_dir": str(tmp_path / name)}) == [0]
    killed = {**plain, "output_dir": str(tmp_path / "killed")}
    assert killed_run.unlearn(killed, die=("step", 5)) == [-9]
    assert killed_run.unlearn(killed) == [0], killed_run.log_of(killed)
    assert "Resuming from step 4 of 6." in killed_run.log_of(killed)
    digests = {name: killed_run.digest(tmp_path / name) for name in ("whole", "again", "killed")}
    assert len(set(digests.values())) == 1
    record = json.loads((tmp_path / "whole" / "evidence" / "run.json").read_text())
    assert record["cost"]["gradient_evaluations"]["updates"] == 6 * min(16, remain_images(tmp_path / "whole"))
    card = json.loads((tmp_path / "whole" / "evidence" / "model_card_diff.json").read_text())["modification"]["method"]
    assert (card["name"], card["settings"]["depth"]) == ("reset", "last_block")


def remain_images(out):
    return json.loads((out / "evidence" / "metrics.json").read_text())["counts"]["remain"]["train"]
