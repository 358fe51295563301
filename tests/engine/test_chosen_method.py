from __future__ import annotations

import pytest

from monai_unlearn.engine.chosen_method import choice_of, method_of, settings_of
from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import FineTune, Reset


@pytest.mark.parametrize(
    "given",
    [
        {"name": "reset", "depth": "head"},
        "{name: reset, depth: head}",
        "{_target_: monai_unlearn.methods.Reset, depth: head}",
        {"_target_": "monai_unlearn.methods.Reset", "depth": "head"},
        Reset(depth="head"),
    ],
)
def test_a_method_can_be_named_in_several_ways(given):
    found = method_of(given)
    assert (type(found), found.depth) == (Reset, "head")


def test_a_name_alone_gives_the_default_settings():
    assert isinstance(method_of("finetune"), FineTune)
    assert method_of("reset").depth == "last_block"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("rest", r"method: expected one of .*, reset, .* got 'rest'\. Did you mean 'reset'\?"),
        ({"depth": 2}, "method: expected one of .* got 'None'"),
        ({"name": "reset", "dept": 2}, "method: reset does not take these settings .*'dept'"),
        ("{name: reset", "method: expected a name or a mapping, got '{name: reset'"),
        (3, "method: expected a method, its name or a mapping with its name, got int"),
        ({"_target_": "torch.nn.Identity"}, "method: expected a method, .* got Identity"),
    ],
)
def test_anything_else_is_refused(given, message):
    with pytest.raises(ConfigError, match=message):
        method_of(given)


def test_the_settings_are_those_that_the_method_keeps():
    plain = {"depth": 2, "tune": "all", "fresh": True, "distillation": 0.0, "temperature": 2.0}
    assert settings_of(Reset(depth=2)) == {"_target_": "Reset", **plain}


def test_who_chose_a_method_and_on_what_ground():
    method = Reset(depth="head")
    assert choice_of(method, by_protocol=False) == {
        "name": "reset",
        "chosen_by": "user",
        "ground": "the user chose it",
    }
    assert choice_of(method, by_protocol=True)["chosen_by"] == "protocol"
    method.ground = "reset of the head, because it is so"
    assert choice_of(method, by_protocol=False) == {
        "name": "reset",
        "chosen_by": "default",
        "ground": "reset of the head, because it is so",
    }


def test_what_a_method_decided_by_itself_belongs_to_the_ground():
    method = Reset(depth="auto")
    method.load_state_dict(
        {"choice": {"depth": 2, "why": "it learnt", "blocks": [], "judged_on": "training", "images": 3}}
    )
    assert choice_of(method, by_protocol=False)["ground"] == "the user chose it. Depth auto chose 2: it learnt"
