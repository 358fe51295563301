from __future__ import annotations

import math
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
        self.state = SimpleNamespace(iteration=0, paused_classes=(), ended_by=None, evaluations=0)
        self.affords_evaluation = True
        self.forget_classes = (0, 1, 2)
        self.planned_steps = 300
        self.handlers = []

    def add_event_handler(self, _event, handler):
        self.handlers.append(handler)

    def pause(self, classes):
        self.state.paused_classes = tuple(sorted(classes))

    @property
    def paused(self):
        return self.state.paused_classes == self.forget_classes

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
        references=() if reference is None else [reference],
        eval_interval=eval_interval,
    )
    made.attach(trainer or Trainer())
    return made


def test_validation_images_are_evaluated_if_there_are_any():
    found = stopping(forget_accuracy=0.1)
    assert (found.evaluated_on, found.measure()["forget_accuracy"]) == ("validation", 0.5)
    found = stopping(TRAIN_ONLY, forget_accuracy=0.1)
    assert (found.evaluated_on, found.measure()["forget_accuracy"]) == ("train", 0.75)


# What `PixelIsClass` gives the class that it predicts and each of the others, and `AlwaysOne` any class but 1.
LIKELY, OTHER = (math.exp(4) / (math.exp(4) + 2), 1 / (math.exp(4) + 2))
UNSEEN = 1 / (math.e + 2)


def test_the_gap_is_that_of_the_probabilities_to_the_mean_of_the_references():
    gap = (LIKELY + OTHER) / 2 - UNSEEN
    assert stopping(reference=AlwaysOne(), gap_to_reference=0.1).measure()["gap_to_reference"] == pytest.approx(gap)
    made = Stopping(
        rule=StopRule(gap_to_reference=0.1),
        subsets=SUBSETS,
        network=PixelIsClass(),
        references=[AlwaysOne(), PixelIsClass()],
    )
    made.attach(Trainer())
    assert made.measure()["gap_to_reference"] == pytest.approx(gap / 2)


def swapped(correct, classes=(0, 1, 2)):
    """Subsets in which as many of ten images of each class are classified correctly as `correct` says."""
    pairs = [
        (label if row < right else (label + 1) % 3, label)
        for label, right in zip(classes, correct, strict=True)
        for row in range(10)
    ]
    return {("forget", "train"): images(*pairs), ("forget", "validation"): images(*pairs)}


class Fixed(nn.Module):
    """Gives each class of the ten images a class of the same number the same probabilities: a retrained network."""

    def __init__(self, rows):
        super().__init__()
        self.rows = torch.tensor(rows).repeat_interleave(10, 0).log()

    def forward(self, pixels):
        return self.rows[: len(pixels)]


def test_a_class_at_its_target_is_paused_and_the_others_go_on():
    """As many images are correct as under retraining, but those of class 0 are not: no more of it may be forgotten."""
    retrained = Fixed([[0.8, 0.1, 0.1], [0.5, 0.4, 0.1], [0.5, 0.1, 0.4]])
    trainer = Trainer()
    found = stopping(
        swapped((2, 7, 7)),
        reference=retrained,
        trainer=trainer,
        eval_interval=1,
        gap_to_reference=0.0,
        when_met="pause",
    )
    trainer.steps(1)
    assert trainer.state.paused_classes == (0,)
    assert found.history[0]["paused_classes"] == [0]
    assert found.history[0]["classes"] == [0, 1, 2]
    low, *high = found.history[0]["gap_by_class"]
    assert low < -0.5
    assert min(high) > 0.2
    assert found.history[0]["gap_to_reference"] == low


def test_forgetting_goes_on_while_every_class_is_above_the_reference():
    retrained = Fixed([[0.3, 0.4, 0.3], [0.4, 0.3, 0.3], [0.4, 0.3, 0.3]])
    trainer = Trainer()
    stopping(
        swapped((8, 7, 7)),
        reference=retrained,
        trainer=trainer,
        eval_interval=1,
        gap_to_reference=0.0,
        when_met="pause",
    )
    trainer.steps(1)
    assert trainer.state.paused_classes == ()


def test_every_class_must_be_forgotten():
    found = stopping(swapped((0, 0, 6)), forget_accuracy=0.5).measure()
    assert found == {"classes": [0, 1, 2], "accuracy_by_class": [0.0, 0.0, 0.6], "forget_accuracy": 0.6}


def test_a_class_of_few_images_is_looked_at_only_where_there_is_no_other():
    pairs = [*[(0, 0)] * 5, *[(0, 1)] * 4]
    subsets = {("forget", "train"): images(*pairs), ("forget", "validation"): images(*pairs)}
    assert stopping(subsets, forget_accuracy=0.5).measure()["accuracy_by_class"] == [1.0]
    few = {key: value[2:] for key, value in subsets.items()}
    assert stopping(few, forget_accuracy=0.5).measure()["accuracy_by_class"] == [1.0, 0.0]


def test_no_test_image_is_looked_at():
    class Untouched(list):
        def __getitem__(self, _row):
            pytest.fail("a test image was read")

    subsets = {**SUBSETS, ("forget", "test"): Untouched([1] * 9), ("remain", "test"): Untouched([1] * 9)}
    found = stopping(subsets, reference=AlwaysOne(), forget_accuracy=0.1, gap_to_reference=0.1, membership_auc=0.5)
    assert set(found.measure()) >= {"forget_accuracy", "gap_to_reference", "membership_auc"}


def test_every_image_that_is_passed_is_counted():
    found = Stopping(
        rule=StopRule(forget_accuracy=0.1, gap_to_reference=0.1, membership_auc=0.5),
        subsets=SUBSETS,
        network=PixelIsClass(),
        references=[AlwaysOne(), AlwaysOne()],
        delivery_images=64,
    )
    found.attach(Trainer())
    assert found.images_passed == 2 * 2
    found.measure()
    # Statistics, two images to evaluate, four members and two non-members.
    assert found.images_passed == 4 + 64 + 2 + 4 + 2
    assert found.state_dict()["images_passed"] == found.images_passed


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
    assert made.measure()["forget_accuracy"] == 0.0


def test_membership_compares_training_with_held_out_images_of_the_same_classes():
    # Three of four members and one of two non-members are classified correctly: 3/4 · 1/2 of the pairs are in order,
    # and half of the ties count.
    value = 0.75 * 0.5 + (0.75 * 0.5 + 0.25 * 0.5) / 2
    assert stopping(membership_auc=0.5).measure() == {"membership_auc": pytest.approx(value)}


@pytest.mark.parametrize(
    "subsets",
    [
        TRAIN_ONLY,
        # Images of the class from another camera are no non-members.
        {**SUBSETS, ("forget", "validation"): [], ("remain", "validation"): images((2, 2), (1, 0))},
        {**SUBSETS, ("forget", "validation"): images((2, 2))},
    ],
    ids=["no validation images", "those of remain alone", "those of another class alone"],
)
def test_without_held_out_images_of_the_cohort_membership_is_not_judged_and_a_note_says_so(subsets):
    found = stopping(subsets, membership_auc=0.5)
    assert found.measure() == {}
    assert "membership_auc was not judged" in found.notes[0]
    assert "images of other cohorts are no substitute" in found.notes[0]


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
    assert (trainer.paused, trainer.ended) == (True, [])
    found.images = images((0, 0), (0, 0), (1, 0))
    trainer.steps(2)
    assert (trainer.paused, trainer.ended) == (False, [])
    assert [one["forget_accuracy"] for one in found.history] == [0.5, pytest.approx(2 / 3)]


def evaluations(found, trainer):
    """Note the steps after which the network is evaluated; between 20 and 50, enough is forgotten."""
    steps = []

    def measure():
        steps.append(trainer.state.iteration)
        accuracy = 0.5 if 20 <= trainer.state.iteration < 50 else 1.0
        return {"forget_accuracy": accuracy, "accuracy_by_class": [accuracy], "classes": [0]}

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
    second = Stopping(rule=first.rule, subsets=SUBSETS, network=PixelIsClass(), references=[nn.Identity()])
    second.load_state_dict(first.state_dict())
    second.attach(Trainer())
    assert second.measure()["gap_to_reference"] == first.measure()["gap_to_reference"]


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


def test_an_evaluation_that_the_budget_does_not_pay_for_is_left_out():
    trainer = Trainer()
    found = stopping(trainer=trainer, eval_interval=1, forget_accuracy=0.5, when_met="pause")
    trainer.affords_evaluation = False
    trainer.steps(1)
    assert (found.history, trainer.state.evaluations) == ([], 0)
    trainer.affords_evaluation = True
    trainer.steps(2)
    assert (len(found.history), trainer.state.evaluations) == (1, 1)


@pytest.mark.parametrize("conditions", [{}, {"forget_accuracy": 0.1}, {"gap_to_reference": 0.1, "membership_auc": 0.5}])
def test_the_images_of_an_evaluation_are_known_before_it(conditions):
    made = Stopping(
        rule=StopRule(**conditions),
        subsets=SUBSETS,
        network=PixelIsClass(),
        references=[AlwaysOne()],
        delivery_images=64,
    )
    planned = made.images_an_evaluation(has_reference=True)
    made.attach(Trainer())
    before = made.images_passed
    if conditions:
        made.measure()
    assert made.images_passed - before == planned
