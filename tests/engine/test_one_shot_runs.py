"""Methods that edit once: no step, the same weights killed or not and in two processes, costs counted."""

from __future__ import annotations

import json

import killed_run
import pytest
import torch
from bundle_run import JUDGED, PLAIN
from one_shot_example import OneStepUp
from tiny_trainer import SPACE, tiny_trainer, weights_of

from monai_unlearn.engine.checkpoint import Checkpoints
from monai_unlearn.engine.stop_rule import StopRule
from monai_unlearn.engine.stopping import Stopping
from monai_unlearn.engine.updating import Updates


def updates(folder, **options):
    trainer = tiny_trainer(**options)
    trainer.method = OneStepUp(rate=0.1)
    subsets = {(part, "train"): data for part, data in trainer.loader.data.items()}
    return Updates(
        trainer=trainer,
        forget=subsets["forget", "train"],
        validation={"remain": subsets["remain", "train"]},
        snapshots=[folder / "epoch-1.pt"],
        pixel_space=SPACE,
        stopping=Stopping(rule=StopRule(), subsets=subsets, network=trainer.network),
        checkpoints=Checkpoints(folder / ".out.checkpoint", {}),
        checkpoint_seconds=0,
        seed=3,
    )


def test_it_gets_validation_images_and_snapshots_and_takes_no_step(tmp_path, capsys):
    found = updates(tmp_path)
    before = weights_of(found.trainer)
    found.run()
    assert found.trainer.method.given == ["remain", "epoch-1.pt"]
    assert not torch.equal(weights_of(found.trainer), before)
    assert (found.trainer.state.iteration, found.trainer.state.images_seen) == (0, 0)
    assert found.record["ended_by"] == "one shot"
    assert capsys.readouterr().err == "Unlearning: OneStepUp edits the weights once and takes no steps.\n"


def test_an_edit_that_is_done_again_gives_the_same_weights(tmp_path):
    first = updates(tmp_path)
    first.run()
    resumed = updates(tmp_path)
    resumed.run()
    assert torch.equal(weights_of(resumed.trainer), weights_of(first.trainer))
    assert resumed.trainer.method.gradient_evaluations == 12


def test_a_trainer_of_such_a_method_plans_no_step():
    assert tiny_trainer(OneStepUp(), steps=7).total_steps == 0
    assert tiny_trainer(OneStepUp(), max_epochs=None).total_steps == 0


@pytest.fixture(scope="module")
def settings(tiny):
    plain = {name: value for name, value in PLAIN.items() if not name.startswith("method")}
    return {
        **plain,
        **JUDGED,
        "index_dir": str(tiny.index),
        "cohort_spec": str(tiny.spec),
        "checkpoint": str(tiny.checkpoint),
        "method": {"_target_": "one_shot_example.OneStepUp"},
        "checkpoint_seconds": 0,
        "budget": 1.0,
    }


def test_killed_or_in_two_processes_the_weights_are_the_same(settings, tmp_path):
    """Phases of the bundle, steps and passes are not used, whatever they are."""
    runs = {
        "whole": {"steps": 9},
        "killed": {"phases": [{"name": "forget", "steps": 3, "learning_rate": 0.1}]},
        "two": {},
    }
    runs = {name: {**settings, **run, "output_dir": str(tmp_path / name)} for name, run in runs.items()}
    dear = {**settings, "budget": 0.1, "output_dir": str(tmp_path / "dear")}
    assert killed_run.unlearn(dear) == [2]
    assert "or another method: --method NAME" in killed_run.log_of(dear)
    assert killed_run.unlearn(runs["killed"], die=("end", 1)) == [-9], killed_run.log_of(runs["killed"])
    assert killed_run.unlearn(runs["two"], processes=2) == [0, 0], killed_run.log_of(runs["two"])
    for name in ("whole", "killed"):
        assert killed_run.unlearn(runs[name]) == [0], killed_run.log_of(runs[name])
    assert len({killed_run.digest(tmp_path / name) for name in runs}) == 1
    cost = json.loads((tmp_path / "whole" / "evidence" / "metrics.json").read_text())
    forget, remain = (cost["counts"][part]["train"] for part in ("forget", "remain"))
    assert cost["cost"]["forward_passes"] == {"search": forget, "steps": 0, "evaluations": 0, "recalibration": remain}
    assert (cost["cost"]["gradient_evaluations"]["search"], cost["cost"]["gradient_evaluations"]["updates"]) == (
        forget,
        0,
    )
    record = json.loads((tmp_path / "killed" / "evidence" / "run.json").read_text())
    assert (record["steps"], record["updates"]["ended_by"]) == (0, "one shot")
    printed = killed_run.log_of(runs["two"])
    assert printed.count("Unlearning: OneStepUp edits the weights once and takes no steps.") == 1
    assert "step 0" not in printed + killed_run.log_of(runs["killed"])
