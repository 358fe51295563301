from __future__ import annotations

import pytest
from protocol_example import protocol

from monai_unlearn.evaluation.decision.held_settings import RECIPE, held_settings, not_held

CONFIG = {
    RECIPE: {"max_epochs": 5},
    "index_dir": "/data/index",
    "device": "cuda",
    "initialize": ["$x"],
    "audits": "default",
    "method": {"name": "reset"},
    "budget": 0.1,
    "learning_rate": 0.00001,
    "steps": None,
    "training": {"_target_": "Steps", "rate_factor": 2.0, "overrides": {}},
    "train": {"handlers": [1], "trainer": {"phases": "@phases", "train_handlers": "@x"}},
    "subsets": {"transform": "@preprocessing", "splits": ["train"], "memory": "auto"},
}
RULES = {"learning_rate": 0.00001, "training::rate_factor": 2.0}
HELD = protocol(settings=RULES, config=held_settings(CONFIG, said=RULES))


def changed(path, value):
    """The config with another value at a path."""
    head, *rest = path
    return lambda config: {**config, head: changed(rest, value)(config[head]) if rest else value}


def test_what_was_rehearsed_is_held():
    assert set(HELD.config) == {RECIPE, "steps", "training", "train", "subsets"}
    assert not_held(HELD, CONFIG) is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["index_dir"], "elsewhere"),
        (["device"], "cpu"),
        (["initialize"], []),
        (["audits"], []),
        (["run_name"], "mlflow"),
        (["training", "rate_factor"], 3),
        (["train", "handlers"], [1, {"_target_": "monai.handlers.StatsHandler"}]),
        (["subsets", "splits"], ["train", "test"]),
        (["subsets", "memory"], "1 GB"),
    ],
)
def test_what_is_given_observes_or_is_compared_elsewhere_may_differ(path, value):
    assert not_held(HELD, changed(path, value)(CONFIG)) is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["steps"], 5000),
        (["training", "overrides"], {"learning_rate": 1}),
        (["train", "trainer", "phases"], []),
        (["subsets", "transform"], "@other"),
        (["phases"], []),
        ([RECIPE], None),
        ([RECIPE, "max_epochs"], 6),
    ],
)
def test_what_decides_weights_and_differs_is_named(path, value):
    assert not_held(HELD, changed(path, value)(CONFIG)) == path[0]


def test_a_section_that_the_run_lacks_is_named():
    assert not_held(HELD, {**{key: one for key, one in CONFIG.items() if key != "train"}}) == "train"


def test_a_whole_number_is_the_same_however_it_is_written():
    written = [held_settings({"steps": steps}, said=()) for steps in (60, 60.0)]
    assert written[0] == written[1] != held_settings({"steps": True}, said=())


def test_a_protocol_that_holds_nothing_more_refuses_nothing():
    assert not_held(protocol(), {**CONFIG, "steps": 1}) is None


def test_a_handler_that_may_change_weights_is_held():
    plain = {**CONFIG, "train": {"handlers": []}}
    for handlers, same in (
        ([{"_target_": "monai_unlearn.engine.ProgressBar"}], True),
        ([{"_target_": "LrScheduleHandler", "step_size": 1}], False),
    ):
        other = {**plain, "train": {"handlers": handlers}}
        assert (held_settings(other, said=[]) == held_settings(plain, said=[])) is same
