from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from monai_unlearn.engine.stop_rule import StopRule
from monai_unlearn.engine.stopping import Stopping, loss_threshold_auc
from monai_unlearn.errors import ConfigError


class PixelIsClass(nn.Module):
    """Predicts the class that an image's single pixel names, with some confidence."""

    def forward(self, images):
        return nn.functional.one_hot(images.flatten().long(), 3).float() * 4


class AlwaysOne(nn.Module):
    """Predicts class 1 for every image."""

    def forward(self, images):
        return torch.eye(3)[[1] * len(images)]


def images(*pairs):
    """Make items from pairs of (predicted class, true class)."""
    return [{"image": torch.tensor([float(predicted)]), "label": true} for predicted, true in pairs]


class Trainer:
    """What `Stopping` uses of a trainer."""

    def __init__(self):
        self.ended = []
        self.phase = "forget"
        self.state = SimpleNamespace(iteration=0, paused=False, ended_by=None)
        self.total_steps = 300
        self.handlers = []

    def add_event_handler(self, _event, handler):
        self.handlers.append(handler)

    def pause(self, *, paused):
        self.state.paused = paused

    def end(self, by):
        self.state.ended_by = by
        self.ended.append(("run", by))

    def end_phase(self, by):
        self.ended.append(("phase", by))

    def steps(self, *numbers):
        """Complete steps of these numbers."""
        for self.state.iteration in numbers:
            for handler in self.handlers:
                handler(self)


SUBSETS = {
    ("forget", "train"): images((0, 0), (0, 0), (1, 0), (0, 0)),
    ("remain", "train"): images((1, 1)),
    ("forget", "validation"): images((0, 0), (2, 0)),
    ("remain", "validation"): images((2, 2)),
}
TRAIN_ONLY = {key: value for key, value in SUBSETS.items() if key[1] == "train"}


def stopping(subsets=SUBSETS, reference=None, trainer=None, eval_interval=None, **conditions):
    """Make a `Stopping` that is attached to a trainer."""
    made = Stopping(
        rule=StopRule.read(conditions),
        subsets=subsets,
        network=PixelIsClass(),
        reference=reference,
        eval_interval=eval_interval,
    )
    made.attach(trainer or Trainer())
    return made


def test_validation_images_are_evaluated_if_there_are_any():
    found = stopping(forget_accuracy=0.1)
    assert (found.evaluated_on, found.measure()) == ("validation", {"forget_accuracy": 0.5})
    found = stopping(TRAIN_ONLY, forget_accuracy=0.1)
    assert (found.evaluated_on, found.measure()) == ("train", {"forget_accuracy": 0.75})


def test_the_gap_is_accuracy_minus_that_of_the_reference():
    assert stopping(reference=AlwaysOne(), gap_to_reference=0.1).measure() == {"gap_to_reference": 0.5}
    assert stopping(reference=PixelIsClass(), gap_to_reference=0.1).measure() == {"gap_to_reference": 0.0}


def test_without_a_reference_the_gap_is_not_judged_and_a_note_says_so():
    found = stopping(gap_to_reference=0.1)
    assert found.measure() == {}
    assert found.notes == ["Stopping: gap_to_reference was not judged, since there is no reference."]


def test_the_network_is_evaluated_as_delivered():
    made = Stopping(
        rule=StopRule(forget_accuracy=0.1),
        subsets=SUBSETS,
        network=PixelIsClass(),
        as_delivered=lambda _network: AlwaysOne(),
    )
    assert made.measure() == {"forget_accuracy": 0.0}


def test_membership_compares_training_with_held_out_images_of_the_same_classes():
    # Three of four members and one of two non-members are classified correctly: 3/4 · 1/2 of the pairs are in order,
    # and half of the ties count.
    value = 0.75 * 0.5 + (0.75 * 0.5 + 0.25 * 0.5) / 2
    assert stopping(membership_auc=0.5).measure() == {"membership_auc": pytest.approx(value)}


def test_non_members_come_from_remain_if_forget_has_no_held_out_images():
    subsets = {**SUBSETS, ("forget", "validation"): [], ("remain", "validation"): images((2, 2), (1, 0))}
    found = stopping(subsets, membership_auc=0.5)
    assert [found.non_members[0]["label"], len(found.non_members)] == [0, 1]


def test_without_held_out_images_membership_is_not_judged_and_a_note_says_so():
    found = stopping(TRAIN_ONLY, membership_auc=0.5)
    assert found.measure() == {}
    assert "no validation images of the forgotten classes" in found.notes[0]


def test_the_area_counts_pairs():
    random = torch.Generator().manual_seed(0)
    members, non_members = torch.rand(40, generator=random), torch.rand(30, generator=random) + 0.2
    pairs = (members[:, None] < non_members).double().mean()
    assert loss_threshold_auc(members, non_members) == pytest.approx(float(pairs))


@pytest.mark.parametrize(
    ("conditions", "ended"),
    [
        ({"forget_accuracy": 0.4, "membership_auc": 1.0}, [("phase", "membership_auc")]),
        ({"forget_accuracy": 0.5, "membership_auc": 1.0}, [("phase", "forget_accuracy")]),
        ({"forget_accuracy": 0.4}, []),
    ],
)
def test_a_condition_that_holds_ends_the_phase(conditions, ended):
    trainer = Trainer()
    stopping(trainer=trainer, **conditions)
    trainer.steps(1)
    assert trainer.ended == ended


def test_a_repair_phase_is_not_evaluated():
    trainer = Trainer()
    trainer.phase = "repair"
    found = stopping(trainer=trainer, forget_accuracy=1.0)
    trainer.steps(1)
    assert (trainer.ended, found.history) == ([], [])


def test_a_pause_lasts_as_long_as_a_condition_holds():
    trainer = Trainer()
    found = stopping(trainer=trainer, eval_interval=1, forget_accuracy=0.5, when_met="pause")
    trainer.steps(1)
    assert (trainer.state.paused, trainer.ended) == (True, [])
    found.images = images((0, 0), (0, 0), (1, 0))
    trainer.steps(2)
    assert (trainer.state.paused, trainer.ended) == (False, [])
    assert found.history == [{"forget_accuracy": 0.5}, {"forget_accuracy": pytest.approx(2 / 3)}]


def evaluations(found, trainer):
    """Note the steps after which the network is evaluated; between 20 and 50, enough is forgotten."""
    steps = []

    def measure():
        steps.append(trainer.state.iteration)
        return {"forget_accuracy": 0.5 if 20 <= trainer.state.iteration < 50 else 1.0}

    found.measure = measure
    return steps


# At most a thirtieth of 300 steps apart; 1, 2, 4 and 8 steps after the beginning and after the pause of 25 to 55.
SCHEDULE = [1, 3, 7, 15, 25, 35, 45, 55, 56, 58, 62, 70, 80]


def test_evaluations_are_close_together_when_forgetting_begins():
    trainer = Trainer()
    steps = evaluations(stopping(trainer=trainer, forget_accuracy=0.5, when_met="pause"), trainer)
    trainer.steps(*range(1, 90))
    assert steps == SCHEDULE


@pytest.mark.parametrize("at", [1, 2, 30, 56, 60])
def test_another_process_goes_on_with_the_schedule_and_the_history(at):
    trainer = Trainer()
    first = stopping(trainer=trainer, forget_accuracy=0.5, when_met="pause")
    steps = evaluations(first, trainer)
    trainer.steps(*range(1, at + 1))
    trainer.handlers = []
    second = Stopping(rule=first.rule, subsets=SUBSETS, network=PixelIsClass())
    second.load_state_dict(first.state_dict())
    second.attach(trainer)
    later = evaluations(second, trainer)
    trainer.steps(*range(at + 1, 90))
    assert steps + later == SCHEDULE
    assert len(second.history) == len(SCHEDULE)


def test_the_reference_is_not_evaluated_again_after_a_resumption():
    first = stopping(reference=AlwaysOne(), gap_to_reference=0.1)
    second = Stopping(rule=first.rule, subsets=SUBSETS, network=PixelIsClass(), reference=nn.Identity())
    second.load_state_dict(first.state_dict())
    second.attach(Trainer())
    assert second.measure() == {"gap_to_reference": 0.5}


def test_the_steps_between_evaluations_can_be_set():
    trainer = Trainer()
    steps = evaluations(stopping(trainer=trainer, eval_interval=2, forget_accuracy=0.0), trainer)
    trainer.steps(*range(1, 8))
    assert steps == [1, 3, 5, 7]


def test_an_evaluation_uses_at_most_256_images_of_a_data_set():
    subsets = {**SUBSETS, ("forget", "validation"): images(*[(0, 0)] * 300)}
    assert len(stopping(subsets, forget_accuracy=0.5).images) == 256
    subsets = {**subsets, ("forget", "train"): images(*[(0, 0)] * 400)}
    found = stopping(subsets, membership_auc=0.5)
    assert (len(found.members), len(found.non_members)) == (256, 256)


def test_budgets_end_a_run_that_pauses_too():
    trainer = Trainer()
    stopping(trainer=trainer, steps=3, forget_accuracy=0.5, when_met="pause")
    trainer.steps(3)
    assert trainer.ended == [("run", "steps")]


def test_a_budget_of_steps_ends_the_run():
    trainer = Trainer()
    stopping(trainer=trainer, steps=3)
    trainer.steps(2)
    assert trainer.ended == []
    trainer.steps(3)
    assert trainer.ended == [("run", "steps")]


def test_a_budget_of_seconds_counts_those_before_a_resumption():
    trainer = Trainer()
    first = stopping(trainer=trainer, seconds=100)
    trainer.steps(1)
    assert trainer.ended == []
    second = Stopping(rule=first.rule, subsets=SUBSETS, network=PixelIsClass())
    second.load_state_dict({**first.state_dict(), "seconds": 99.99999})
    second.attach(trainer)
    second._started -= 1
    trainer.steps(2)
    assert trainer.ended == [("run", "seconds")]


def test_the_state_holds_the_seconds_spent():
    found = stopping(seconds=100)
    found._started -= 50
    assert 50 <= found.state_dict()["seconds"] < 51


def test_a_run_that_a_budget_has_ended_is_not_evaluated():
    trainer = Trainer()
    found = stopping(trainer=trainer, steps=1, forget_accuracy=1.0)
    trainer.steps(1)
    assert (trainer.ended, found.history) == ([("run", "steps")], [])


def test_an_interval_of_no_step_is_refused():
    with pytest.raises(ConfigError, match="eval_interval: expected at least 1 step between two evaluations, got 0"):
        Stopping(rule=StopRule(), subsets=SUBSETS, network=PixelIsClass(), eval_interval=0)
