from __future__ import annotations

import pytest
import torch
from ignite.engine import Events
from tiny_trainer import SPACE, Plain, tiny_trainer, weights_of
from torch import nn

from monai_unlearn.engine.checkpoint import Checkpoints
from monai_unlearn.engine.stop_rule import StopRule
from monai_unlearn.engine.stopping import Stopping
from monai_unlearn.engine.updating import Updates
from monai_unlearn.errors import TrainingError


class Killed(BaseException):
    """Ends a run as a signal would: nothing catches it."""


class Searching(Plain):
    """Finds one number in each of five chunks, and remembers what it has found."""

    def __init__(self, *, killed_at=None):
        super().__init__()
        self.found, self.searched, self.killed_at = [], 0, killed_at

    def prepare(self, context):
        super().prepare(context)
        while len(self.found) < 5:
            if len(self.found) == self.killed_at:
                raise Killed("killed")
            self.found.append(len(self.found))
            self.searched += 1
            context.checkpoint()

    def state_dict(self):
        return {"found": list(self.found)}

    def load_state_dict(self, state):
        self.found = list(state["found"])


def updates(folder, *, seconds=0.0, killed_at=None, method=None, rule=None, reference=None):
    """Make updates of seven steps; with `killed_at`, the run is killed after a step."""
    # Dropout draws from torch's global generator, whose state a checkpoint must hold.
    trainer = tiny_trainer(steps=7, layer=nn.Dropout(0.5))
    trainer.optimizer = torch.optim.SGD(trainer.network.parameters(), lr=0.1, momentum=0.9)
    torch.seed()  # `Updates` alone is to determine what is drawn
    trainer.method = method or Plain()
    subsets = {(part, "train"): data for part, data in trainer.loader.data.items()}
    if killed_at is not None:
        # Before the step's checkpoint, for which `Updates` registers its handler later.
        trainer.add_event_handler(Events.ITERATION_COMPLETED(once=killed_at), kill)
    return Updates(
        trainer=trainer,
        forget=subsets["forget", "train"],
        pixel_space=SPACE,
        stopping=Stopping(
            rule=rule or StopRule(),
            subsets=subsets,
            network=trainer.network,
            references=reference or (),
            eval_interval=1,
        ),
        checkpoints=Checkpoints(folder / ".out.checkpoint", {}),
        checkpoint_seconds=seconds,
        seed=3,
    )


def kill():
    raise Killed("killed")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    found = updates(tmp_path_factory.mktemp("whole"))
    found.run()
    return found


@pytest.mark.parametrize(("killed_at", "seconds", "resumes_at"), [(1, 0, 0), (4, 0, 3), (7, 0, 6), (5, 600, 0)])
def test_a_killed_run_resumes_to_the_same_weights(whole, tmp_path, capsys, killed_at, seconds, resumes_at):
    with pytest.raises(Killed, match="killed"):
        updates(tmp_path, killed_at=killed_at, seconds=seconds).run()
    resumed = updates(tmp_path)
    resumed.run()
    assert torch.equal(weights_of(resumed.trainer), weights_of(whole.trainer))
    assert resumed.resumed_at == [resumes_at]
    assert resumed.trainer.state.images_seen == whole.trainer.state.images_seen
    assert capsys.readouterr().err == f"Resuming from step {resumes_at} of 7.\n"


@pytest.mark.parametrize("seconds", [0, 600])
def test_a_run_that_is_over_takes_no_further_step(whole, tmp_path, seconds):
    updates(tmp_path, seconds=seconds).run()
    resumed = updates(tmp_path)
    resumed.run()
    assert (resumed.resumed_at, resumed.trainer.method.given) == ([7], [])
    assert torch.equal(weights_of(resumed.trainer), weights_of(whole.trainer))


def test_a_killed_preparation_is_not_repeated(tmp_path):
    with pytest.raises(Killed, match="killed"):
        updates(tmp_path, method=Searching(killed_at=3)).run()
    method = Searching()
    resumed = updates(tmp_path, method=method)
    resumed.run()
    assert (method.found, method.searched, resumed.resumed_at) == ([0, 1, 2, 3, 4], 2, [])


def test_seconds_of_a_killed_run_count(tmp_path):
    with pytest.raises(Killed, match="killed"):
        updates(tmp_path, killed_at=4).run()
    state = Checkpoints(tmp_path / ".out.checkpoint", {}).load_state("updates")
    state["seconds"] = {"preparation": 100.0, "updates": 200.0}
    resumed = updates(tmp_path)
    resumed._resume(state)
    resumed._prepare(state)
    assert 100 < resumed.seconds["preparation"] < 101
    resumed._train()
    assert 200 < resumed.seconds["updates"] < 201


@pytest.mark.parametrize("rule", [StopRule(forget_accuracy=0.0), StopRule(gap_to_reference=0.0, when_met="pause")])
def test_evaluations_change_neither_the_weights_nor_the_history_of_a_resumed_run(tmp_path, rule):
    """Evaluations draw from torch's generator too, that of the reference among them."""
    reference = [tiny_trainer().network]
    first = updates(tmp_path / "whole", rule=rule, reference=reference)
    first.run()
    with pytest.raises(Killed, match="killed"):
        updates(tmp_path / "killed", rule=rule, reference=reference, killed_at=4).run()
    resumed = updates(tmp_path / "killed", rule=rule, reference=reference)
    resumed.run()
    assert torch.equal(weights_of(resumed.trainer), weights_of(first.trainer))
    assert len(first.record["history"]) == 7
    assert resumed.record == {**first.record, "resumed_at_steps": [3]}
    assert resumed.record["evaluated_on"] == "forget / train"


def test_weights_that_are_not_finite_leave_the_last_good_checkpoint(tmp_path):
    found = updates(tmp_path, seconds=600)

    def spoil(engine):
        engine.network[2].bias.data[0] = float("nan")

    found.trainer.add_event_handler(Events.ITERATION_COMPLETED(once=7), spoil)
    with pytest.raises(
        TrainingError, match=r"'2.bias' is not finite.* The last good checkpoint, of step 0, is kept in"
    ):
        found.run()
    assert Checkpoints(tmp_path / ".out.checkpoint", {}).load_state("updates")["trainer"]["iteration"] == 0


def test_the_record_says_how_the_updates_ended(whole, tmp_path):
    assert whole.record["ended_by"] == "plan"
    early = updates(tmp_path, rule=StopRule(steps=3))
    early.run()
    assert (early.record["ended_by"], early.trainer.state.iteration) == ("steps", 3)


def test_notes_are_those_of_the_trainer_and_of_the_stop_rule(tmp_path):
    found = updates(tmp_path, rule=StopRule(gap_to_reference=0.1))
    found.trainer.state.notes = ("a note of the trainer",)
    found.run()
    assert found.notes == [
        "a note of the trainer",
        "Stopping: gap_to_reference was not judged, since there is no reference.",
    ]


def test_the_method_finishes_after_the_last_step_and_says_what_it_decided(tmp_path):
    class Finishing(Plain):
        finished_at = None

        def finish(self):
            self.finished_at = trainer.state.iteration

        @property
        def record(self):
            return {"depth": 2}

    method = Finishing()
    made = updates(tmp_path, method=method)
    trainer = made.trainer
    made.run()
    assert method.finished_at == 7
    assert made.record["method"] == {"depth": 2}
    # Resumed after its last step, it finishes again.
    again = Finishing()
    made = updates(tmp_path, method=again)
    trainer = made.trainer
    made.run()
    assert again.finished_at == 7


def test_a_method_is_prepared_with_the_remain_images_as_they_are(tmp_path):
    class Looking(Plain):
        def prepare(self, context):
            super().prepare(context)
            self.seen = context.remain

    method = Looking()
    made = updates(tmp_path, method=method)
    made.remain = [{"image": torch.zeros(1), "label": 0}]
    made.run()
    assert method.seen is made.remain
