from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_unlearn.engine.stopping import Stopping, StopRule, loss_threshold_auc
from monai_unlearn.errors import ConfigError


class Reads(nn.Module):
    """Reads every image as the class that its single pixel names, with some certainty."""

    def forward(self, images):
        return nn.functional.one_hot(images.flatten().long(), 3).float() * 4


def images(*pairs):
    """Make items of (what is read, what is true)."""
    return [{"image": torch.tensor([float(read)]), "label": true} for read, true in pairs]


class Trainer:
    """What a trainer is to a rule."""

    def __init__(self):
        self.ended = []
        self.phase = "forget"
        self.ended_by = None
        self.paused = False
        self.state = type("State", (), {"iteration": 0})
        self.total_steps, self.next_evaluation, self.evaluation_gap = 300, 1, 1

    def pause(self, *, paused):
        self.paused = paused

    def end(self, by):
        self.ended_by = by
        self.ended.append(("run", by))

    def end_phase(self, by):
        self.ended.append(("phase", by))


CELLS = {
    ("forget", "train"): images((0, 0), (0, 0), (1, 0), (0, 0)),
    ("remain", "train"): images((1, 1)),
    ("forget", "validation"): images((0, 0), (2, 0)),
    ("remain", "validation"): images((2, 2)),
}
WITHOUT = {key: value for key, value in CELLS.items() if key[1] == "train"}


def stopping(subsets=CELLS, reference=None, **conditions):
    return Stopping(rule=StopRule.read(conditions), subsets=subsets, network=Reads(), reference=reference)


def test_validation_images_are_looked_at_where_there_are_any():
    found = stopping(forget_accuracy=0.1)
    assert (found.evaluated_on, found.measure()) == ("validation", {"forget_accuracy": 0.5})
    found = stopping(WITHOUT, forget_accuracy=0.1)
    assert (found.evaluated_on, found.measure()) == ("train", {"forget_accuracy": 0.75})


def test_the_gap_is_what_is_read_beyond_the_reference():
    wrong = type("Wrong", (nn.Module,), {"forward": lambda _, images: torch.eye(3)[[1] * len(images)]})()
    assert stopping(reference=wrong, gap_to_reference=0.1).measure() == {"gap_to_reference": 0.5}
    assert stopping(reference=Reads(), gap_to_reference=0.1).measure() == {"gap_to_reference": 0.0}


def test_a_gap_to_no_reference_is_not_judged_and_this_is_said():
    found = stopping(gap_to_reference=0.1)
    assert found.measure() == {}
    assert found.notes == ["Stopping: gap_to_reference was not judged, since there is no reference."]


def test_membership_compares_training_with_held_out_images_of_the_same_classes():
    # Three of four members are read rightly, one of two others: 3/4·1/2 rightly ordered, half of the ties.
    value = 0.75 * 0.5 + (0.75 * 0.5 + 0.25 * 0.5) / 2
    assert stopping(membership_auc=0.5).measure() == {"membership_auc": pytest.approx(value)}


def test_held_out_images_of_remain_do_where_forget_has_none():
    subsets = {**CELLS, ("forget", "validation"): [], ("remain", "validation"): images((2, 2), (1, 0))}
    found = stopping(subsets, membership_auc=0.5)
    assert [found.non_members[0]["label"], len(found.non_members)] == [0, 1]


def test_membership_without_held_out_images_is_not_judged_and_this_is_said():
    found = stopping(WITHOUT, membership_auc=0.5)
    assert found.measure() == {}
    assert "no validation images of the forgotten classes" in found.notes[0]


def test_the_area_counts_pairs():
    random = torch.Generator().manual_seed(0)
    members, non_members = torch.rand(40, generator=random), torch.rand(30, generator=random) + 0.2
    pairs = (members[:, None] < non_members).double().mean()
    assert loss_threshold_auc(members, non_members) == pytest.approx(float(pairs))


def test_the_first_condition_that_holds_ends_the_phase():
    trainer = Trainer()
    stopping(forget_accuracy=0.4, membership_auc=1.0)._look(trainer)
    stopping(forget_accuracy=0.5, membership_auc=1.0)._look(trainer)
    stopping(forget_accuracy=0.4)._look(trainer)
    assert trainer.ended == [("phase", "membership_auc"), ("phase", "forget_accuracy")]


def test_repair_is_not_ended_by_what_it_repairs():
    trainer = Trainer()
    trainer.phase = "repair"
    stopping(forget_accuracy=1.0)._look(trainer)
    assert trainer.ended == []


def test_a_pause_lasts_as_long_as_a_condition_holds():
    trainer, rule = Trainer(), stopping(forget_accuracy=0.5, when_met="pause")
    rule._look(trainer)
    assert (trainer.paused, trainer.ended) == (True, [])
    rule.images = images((0, 0), (0, 0), (1, 0))
    rule._look(trainer)
    assert (trainer.paused, trainer.ended) == (False, [])


def test_looks_are_close_together_where_forgetting_begins():
    trainer, rule = Trainer(), stopping(forget_accuracy=0.5, when_met="pause")
    looks = []

    def measure():
        looks.append(trainer.state.iteration)
        return {"forget_accuracy": 0.5 if 20 <= trainer.state.iteration < 50 else 1.0}

    rule.measure = measure
    for trainer.state.iteration in range(1, 90):
        rule._evaluate_in_time(trainer)
    # A thirtieth of 300 steps at the most; 1, 2, 4 and 8 steps after the beginning and after the pause of 25 to 55.
    assert looks == [1, 3, 7, 15, 25, 35, 45, 55, 56, 58, 62, 70, 80]


def test_the_steps_between_looks_can_be_set():
    trainer = Trainer()
    rule = Stopping(rule=StopRule(forget_accuracy=0.0), subsets=CELLS, network=Reads(), every=2)
    rule.measure = lambda: {"forget_accuracy": 1.0}
    for trainer.state.iteration in range(1, 8):
        rule._evaluate_in_time(trainer)
    assert trainer.next_evaluation == 9


def test_a_look_reads_a_few_hundred_images_at_the_most():
    subsets = {**CELLS, ("forget", "validation"): images(*[(0, 0)] * 300)}
    assert len(stopping(subsets, forget_accuracy=0.5).images) == 256
    subsets = {**subsets, ("forget", "train"): images(*[(0, 0)] * 400)}
    found = stopping(subsets, membership_auc=0.5)
    assert (len(found.members), len(found.non_members)) == (256, 256)


def test_budgets_end_a_run_that_pauses_too():
    trainer = Trainer()
    trainer.state.iteration = 3
    stopping(steps=3, forget_accuracy=0.5, when_met="pause")._spend(trainer)
    assert trainer.ended == [("run", "steps")]


def test_budgets_end_the_run():
    trainer = Trainer()
    rule = stopping(steps=3)
    for trainer.state.iteration in (2, 3):
        rule._spend(trainer)
    assert trainer.ended == [("run", "steps")]
    trainer = Trainer()
    stopping(seconds=100)._spend(trainer)
    assert trainer.ended == []
    resumed = Stopping(rule=StopRule(seconds=100), subsets=CELLS, network=Reads(), before=99.99999)
    resumed._started -= 1
    resumed._spend(trainer)
    assert trainer.ended == [("run", "seconds")]


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"forget_acuracy": 0.1}, "no condition is named 'forget_acuracy'. Did you mean 'forget_accuracy'"),
        ({"forget_accuracy": 1.5}, r"expected forget_accuracy in \[0, 1\], got 1.5"),
        ({"seconds": 0}, "expected seconds above 0, got 0"),
        ({"steps": "many"}, "expected a number for steps, got 'many'"),
        ({"when_met": "paus"}, "expected when_met to be stop or pause, got 'paus'. Did you mean 'pause'"),
        ({"steps": True}, "expected a number for steps, got 'True'"),
        (0.5, "expected conditions and limits, such as"),
    ],
)
def test_refuses_what_is_no_condition(section, message):
    with pytest.raises(ConfigError, match=message):
        StopRule.read(section)


def test_refuses_looks_that_never_come():
    with pytest.raises(ConfigError, match="eval_interval: expected at least 1 step"):
        Stopping(rule=StopRule(), subsets=CELLS, network=Reads(), every=0)
