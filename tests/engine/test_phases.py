from __future__ import annotations

import math

import pytest

from monai_unlearn.engine.phases import Phase, Phases, planned_steps
from monai_unlearn.errors import ConfigError

FORGET = {"name": "forget", "steps": 3, "learning_rate": 0.1}
REPAIR = {"name": "repair", "steps": 4, "learning_rate": 0.2, "decay": "cosine"}


def test_steps_are_assigned_to_phases_in_order():
    phases = Phases([FORGET, Phase(**REPAIR)])
    assert (phases.steps, len(phases), phases[1].name) == (7, 2, "repair")
    found = [(phase.name, step) for phase, step in map(phases.at, range(9))]
    forget, repair = [("forget", step) for step in range(3)], [("repair", step) for step in range(4)]
    assert found == [*forget, *repair, ("repair", 3), ("repair", 3)]


def test_a_cosine_starts_at_the_rate_and_is_at_half_of_it_in_the_middle():
    phase = Phase(**REPAIR)
    rates = [phase.rate(step) for step in range(4)]
    assert rates == pytest.approx([0.2, 0.1 + 0.1 * math.sqrt(0.5), 0.1, 0.1 - 0.1 * math.sqrt(0.5)])
    assert Phase(**FORGET).rate(2) == 0.1


def test_the_next_repair_phase_is_found():
    phases = Phases([FORGET, FORGET, REPAIR, FORGET])
    assert [phases.repair_after(step) for step in (0, 4, 5, 6, 12)] == [6, 6, 6, None, None]


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (
            {**FORGET, "name": "repare"},
            "phases: name: expected one of forget, repair, got 'repare'. Did you mean 'repair'",
        ),
        ({**FORGET, "decay": "linear"}, "phases: decay: expected one of constant, cosine"),
        ({**FORGET, "steps": 0}, "expected steps >= 1 and learning_rate > 0, got 0 and 0.1"),
        ({**FORGET, "steps": 1.5}, "expected steps >= 1"),
        ({**FORGET, "learning_rate": -1}, "learning_rate > 0, got 3 and -1"),
        ({**FORGET, "lr": 1}, "each takes name, steps, learning_rate, decay"),
        ({"name": "forget"}, "name, learning_rate are required"),
        ("forget", "each takes name"),
    ],
)
def test_an_invalid_phase_is_refused(section, message):
    with pytest.raises(ConfigError, match=message):
        Phases([section])


def test_an_empty_list_of_phases_is_refused():
    with pytest.raises(ConfigError, match="expected at least one phase, got none"):
        Phases([])


def test_the_rate_rises_before_it_falls():
    phase = Phase(name="forget", steps=10, learning_rate=0.4, decay="cosine", warm_up=0.3)
    assert [phase.rate(step) for step in range(4)] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert phase.rate(9) == pytest.approx(0.4 * (1 + math.cos(math.pi * 6 / 7)) / 2)
    assert Phase(name="forget", steps=10, learning_rate=0.4, warm_up=0.3).rate(9) == 0.4


@pytest.mark.parametrize("warm_up", [-0.1, 1.0])
def test_a_warm_up_outside_its_range_is_refused(warm_up):
    with pytest.raises(ConfigError, match="expected warm_up to be a share"):
        Phase(name="forget", steps=10, learning_rate=0.4, warm_up=warm_up)


def test_phases_come_before_steps_and_steps_before_epochs():
    phases = Phases([FORGET, REPAIR])
    assert planned_steps(phases, steps=2, max_epochs=3, epoch_length=10) == 7
    assert planned_steps(None, steps=2, max_epochs=3, epoch_length=10) == 2
    assert planned_steps(None, steps=None, max_epochs=3, epoch_length=10) == 30


@pytest.mark.parametrize(
    "given", [{"max_epochs": None}, {"max_epochs": 0}, {"steps": 0}, {"steps": 2.5}, {"max_epochs": "many"}]
)
def test_a_run_of_no_length_is_refused(given):
    with pytest.raises(ConfigError, match="length of the run: expected phases, steps or max_epochs of at least 1"):
        planned_steps(None, **{"steps": None, "max_epochs": 2, **given}, epoch_length=10)


def test_a_single_phase_may_leave_its_steps_open():
    phases = Phases([{"name": "forget", "learning_rate": 0.4, "decay": "cosine", "warm_up": 0.5}])
    assert phases.steps is None
    assert planned_steps(phases, steps=5, max_epochs=3, epoch_length=10) == 5
    assert planned_steps(phases, steps=None, max_epochs=3, epoch_length=10) == 30
    phase, within = phases.at(70)
    assert (phase.name, within) == ("forget", 70)
    closed = Phase(name="forget", learning_rate=0.4, decay="cosine", warm_up=0.5, steps=8)
    assert [phase.rate(step, of=8) for step in range(8)] == [closed.rate(step) for step in range(8)]


def test_of_several_phases_each_needs_its_steps():
    with pytest.raises(ConfigError, match="expected steps for each of several phases"):
        Phases([{"name": "forget", "learning_rate": 0.4}, {"name": "repair", "learning_rate": 0.4, "steps": 3}])
