from __future__ import annotations

import json
import shutil

import killed_run
import pytest
import torch
from bundle_run import JUDGED, judged, unlearn
from ignite.engine import Events
from tiny_trainer import Plain, tiny_trainer

from monai_unlearn.engine import calibrating
from monai_unlearn.engine.budget import Budget, evaluation_steps, longest_gap, retraining_cost
from monai_unlearn.engine.stop_rule import StopRule
from monai_unlearn.engine.stopping import Stopping
from monai_unlearn.engine.training_record import record_of
from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import PSG, FineTune
from monai_unlearn.methods.base import FORWARD_PASS
from monai_unlearn.methods.calibrate import Calibration


def test_retraining_costs_what_training_did_scaled_to_the_remain_part():
    # 20 epochs on 4,000 images; retraining sees 3,000 of them 20 times.
    assert retraining_cost({"gradient_evaluations": 80_000, "images": 4000}, remain=3000) == 60_000
    assert retraining_cost({}, remain=3000) is None
    assert retraining_cost({"gradient_evaluations": None, "images": 4000}, remain=3000) is None


def budget(share=0.1, **costs):
    return Budget(**{"share": share, "retraining": 60_000, "preparation": 0, "fixed": 0, "step": 32, **costs})


@pytest.mark.parametrize(
    ("costs", "steps"),
    [
        ({}, 187),
        # PSG of 1,000 images, with its forward passes; what is left of 6,000 takes 32 images a step.
        ({"preparation": PSG(steps=2, bisection_steps=0).gradients_to_prepare(forget=1000, remain=3000)}, 108),
        ({"step": FineTune().gradients_a_step(forget=4, remain=28)}, 214),
        ({"fixed": 6000 - 32}, 1),
        # Evaluations of 128 images after 1, 3, 7, 11, … 135 steps.
        ({"evaluation": 128 / 3}, 140),
    ],
)
def test_all_of_the_share_and_no_more_is_spent(costs, steps):
    made = budget(**costs)
    assert made.steps == steps
    planned = len(evaluation_steps(steps, made.interval))
    spent = made.preparation + made.fixed + steps * made.step
    # The last evaluation may be too dear, and is left out.
    assert any(0 <= made.limit - spent - number * made.evaluation < made.step for number in (planned, planned - 1))


def test_the_schedule_is_that_of_stopping():
    assert evaluation_steps(80, longest_gap(None, 300)) == [1, 3, 7, 15, 25, 35, 45, 55, 65, 75]
    assert (longest_gap(None, 29), longest_gap(4, 300)) == (1, 4)


@pytest.mark.parametrize(
    ("costs", "message"),
    [
        (
            {"fixed": 6000},
            r"smallest run costs 6,032: .*Give --budget 0.101 or more, or the number of steps: --steps N",
        ),
        ({"preparation": 70_000}, r"is 6,000 of 60,000 .* costs 70,032.* Give the number of steps: --steps N"),
        ({"preparation": 7000, "step": 0}, r"--budget 0.117 or more, or another method"),
        ({"share": 0}, "expected a share of retraining above 0 and at most 1, got 0"),
        ({"share": 1.5}, "above 0 and at most 1"),
        ({"share": "half"}, "above 0 and at most 1"),
    ],
)
def test_a_budget_that_cannot_be_kept_is_refused_with_the_smallest_that_can(costs, message):
    with pytest.raises(ConfigError, match=message):
        budget(**costs)


def test_the_smallest_budget_that_the_message_names_pays_for_a_step():
    assert budget(share=0.101, fixed=6000).steps == 1


def test_what_is_saved_and_spent_beyond_the_plan_changes_the_number_of_steps():
    made = budget()
    assert made.total_steps(done=10, spent=320, prepared=None) == 187
    assert made.total_steps(done=10, spent=320 - 64, prepared=None) == 189
    assert made.total_steps(done=10, spent=320 + 64, prepared=None) == 185
    assert made.total_steps(done=186, spent=0, prepared=None) == 373
    assert made.total_steps(done=187, spent=6000, prepared=None) == 187
    prepared = budget(preparation=3200)
    assert (prepared.steps, prepared.total_steps(done=0, spent=0, prepared=3200 - 64)) == (87, 89)


class Cost:
    """Counts, as a run's evidence does, and pauses the run between two steps."""

    def __init__(self, rule, *, share, paused=(), fixed=0.0):
        self.trainer = tiny_trainer(phases=[{"name": "forget", "learning_rate": 0.01, "decay": "cosine"}])
        subsets = {(part, "train"): data for part, data in self.trainer.loader.data.items()}
        self.stopping = Stopping(rule=rule, subsets=subsets, network=self.trainer.network)
        each = FORWARD_PASS * self.stopping.images_an_evaluation(has_reference=False)
        self.budget = Budget(
            share=share, retraining=3000, preparation=0, fixed=fixed, step=12, evaluation=each, eval_interval=None
        )
        self.trainer.keep_to(self.budget)
        self.stopping.measure = self.measured(self.stopping.measure, dict(paused))
        self.stopping.attach(self.trainer)

    def measured(self, measure, paused):
        def changed():
            found = measure()
            at = self.trainer.state.iteration
            low = any(first <= at < last for first, last in paused.items())
            return {**found, "accuracy_by_class": [0.0 if low else 1.0] * len(found["classes"])}

        return changed

    def used(self):
        state = self.trainer.state
        return (
            self.budget.fixed + state.images_seen + FORWARD_PASS * (state.images_passed + self.stopping.images_passed)
        )


class Forgetting(Plain):
    """Takes gradients on the images of the phase."""

    @property
    def parts(self):
        return ("remain",) if self.phase == "repair" else ("forget", "remain")


@pytest.mark.parametrize("share", [0.1, 0.25, 0.9, 1.0])
@pytest.mark.parametrize("paused", [(), {3: 20}, {3: 9, 15: 30, 40: 60}, {1: 1000}])
def test_a_run_that_pauses_and_evaluates_as_it_likes_keeps_to_one_step(share, paused):
    made = Cost(StopRule(forget_accuracy=0.5, when_met="pause"), share=share, paused=paused, fixed=50)
    made.trainer.method.__class__ = Forgetting
    made.trainer.run()
    assert 0 <= made.budget.limit - made.used() < made.budget.step
    assert made.trainer.state.iteration == made.trainer.total_steps
    # The rate has come down all the way.
    assert made.trainer.optimizer.param_groups[0]["lr"] < 0.01


def test_a_budget_resumes_from_any_step():
    runs = [Cost(StopRule(forget_accuracy=0.5, when_met="pause"), share=0.2, paused={3: 9}) for _ in range(3)]
    whole, first, second = runs
    for one in runs:
        one.trainer.method.__class__ = Forgetting
    whole.trainer.run()
    first.trainer.add_event_handler(Events.ITERATION_COMPLETED(once=6), lambda engine: engine.terminate())
    first.trainer.run()
    second.trainer.network.load_state_dict(first.trainer.network.state_dict())
    second.trainer.load_state_dict(first.trainer.state_dict())
    second.stopping.load_state_dict(first.stopping.state_dict())
    second.trainer.run()
    assert second.trainer.state.iteration == whole.trainer.state.iteration > 6
    for name, weight in whole.trainer.network.state_dict().items():
        assert torch.equal(weight, second.trainer.network.state_dict()[name])


PLANNED = {"audits": [], **JUDGED}


@pytest.mark.parametrize(
    ("method", "share", "more"),
    [
        ({"name": "finetune"}, 0.1, {}),
        ({"name": "finetune"}, 0.1, {"calibrate": True}),
        ({"name": "reset"}, 0.3, {"reference": "retrain", "reference_seeds": 1}),
        ({"name": "psg"}, 0.3, {"stop": {"forget_accuracy": 0.2, "when_met": "pause"}, "eval_interval": 3}),
        ({"name": "psg"}, 0.3, {"reference": "retrain", "reference_seeds": 1, "recalibrate": False}),
        # Its search comes in the middle of the steps.
        ({"name": "psg_remain"}, 0.3, {}),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) and "name" in value else "",
)
def test_a_run_of_a_bundle_uses_what_was_asked_to_one_step(tiny, tmp_path, monkeypatch, method, share, more):
    # The cohort has too few validation images to calibrate on; what passing them costs is known.
    monkeypatch.setattr(calibrating, "check_given", lambda **_: None)
    monkeypatch.setattr(
        calibrating, "calibration", lambda *_, **__: Calibration(temperature=1.0, offsets=(0.0, 0.0), images=8)
    )
    shutil.copytree(tiny.checkpoint.parent, tmp_path / "models")
    checkpoint, record = tmp_path / "models" / "model.pt", record_of(tiny.checkpoint)
    record["gradient_evaluations"] *= 40  # as if training had taken 120 epochs
    (tmp_path / "models" / "training.json").write_text(json.dumps(record))
    settings = {**PLANNED, "index_dir": str(tiny.index), "cohort_spec": str(tiny.spec), "method": method}
    unlearn(**settings, checkpoint=str(checkpoint), output_dir=str(tmp_path / "out"), budget=share, **more)
    evidence = json.loads((tmp_path / "out" / "evidence" / "metrics.json").read_text())
    assert ("calibration" in evidence["cost"]["forward_passes"]) == ("calibrate" in more)
    found = evidence["cost"]["budget"]
    assert found["asked"] == share
    retraining = record["gradient_evaluations"] * evidence["counts"]["remain"]["train"] / record["images"]
    assert found["retraining_gradient_evaluations"] == round(retraining)
    assert found["used"] == pytest.approx(evidence["cost"]["gradient_evaluations"]["unlearning"] / retraining, abs=0.01)
    assert abs(found["used"] - found["asked"]) * retraining <= found["step_gradient_evaluations"]


def test_weights_without_a_record_ask_for_steps(tiny, tmp_path):
    weights = tmp_path / "weights.pt"
    weights.write_bytes(tiny.checkpoint.read_bytes())
    settings = {
        **PLANNED,
        "index_dir": str(tiny.index),
        "cohort_spec": str(tiny.spec),
        "method": "finetune",
        "checkpoint": str(weights),
    }
    with pytest.raises(ConfigError, match=r"budget: no training record beside .*weights.pt.* Give .* --steps N"):
        judged(**settings, output_dir=str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    with pytest.raises(Exception, match="not_known"):
        judged(**settings, output_dir=str(tmp_path / "out"), steps=3)
    evidence = tmp_path / "out" / "evidence"
    assert json.loads((evidence / "run.json").read_text())["steps"] == 3
    assert json.loads((evidence / "metrics.json").read_text())["cost"]["budget"] is None


def test_killed_or_in_two_processes_a_run_by_budget_takes_the_same_steps(tiny, tmp_path):
    (tmp_path / "model.pt").write_bytes(tiny.checkpoint.read_bytes())
    record = record_of(tiny.checkpoint)
    record["gradient_evaluations"] *= 40
    (tmp_path / "training.json").write_text(json.dumps(record))
    settings = {
        **PLANNED,
        "index_dir": str(tiny.index),
        "cohort_spec": str(tiny.spec),
        "checkpoint": str(tmp_path / "model.pt"),
        "method": "psg",
        "budget": 0.35,
        "stop": {"forget_accuracy": 0.5, "when_met": "pause"},
        "checkpoint_seconds": 0,
    }
    runs = {name: {**settings, "output_dir": str(tmp_path / name)} for name in ("whole", "killed", "two")}
    assert killed_run.unlearn(runs["killed"], die=("step", 6)) == [-9], killed_run.log_of(runs["killed"])
    assert killed_run.unlearn(runs["two"], processes=2) == [0, 0], killed_run.log_of(runs["two"])
    for name in ("whole", "killed"):
        assert killed_run.unlearn(runs[name]) == [0], killed_run.log_of(runs[name])
    assert killed_run.digest(tmp_path / "killed") == killed_run.digest(tmp_path / "whole")
    documents = {name: json.loads((tmp_path / name / "evidence" / "run.json").read_text()) for name in runs}
    assert documents["whole"]["steps"] == documents["killed"]["steps"] > 6
    for one in documents.values():
        found = one["cost"]["budget"]
        spent = (found["used"] - found["asked"]) * found["retraining_gradient_evaluations"]
        assert abs(spent) <= found["step_gradient_evaluations"]
