from __future__ import annotations

import json

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation.decision.target import PredictedTarget

ERRORS = {("forget_train", "sick"): 0.04, ("forget_test", "sick"): 0.02}
TARGET = PredictedTarget(name="half_width", kind="rows", proxies=3, cohorts=10, errors=ERRORS)


@pytest.mark.parametrize(
    "target",
    [
        TARGET,
        PredictedTarget(name="never_trained", kind="never_trained", proxies=0, counterparts=("forget",), margin=0.08),
    ],
)
def test_is_read_as_it_was_written(target):
    assert PredictedTarget.from_dict(json.loads(json.dumps(target.to_dict()))) == target


def test_errors_do_not_change_behind_its_back():
    given = dict(ERRORS)
    target = PredictedTarget(name="half_width", kind="rows", errors=given)
    given.clear()
    assert target.errors == ERRORS


def test_the_line_says_how_far_it_was_off():
    assert TARGET.line == (
        "Predicted by half_width (3 proxies); its error on 10 rehearsal cohorts was up to 4.0 points."
    )
    assert "the original with its odds moved" in PredictedTarget(name="shifted_odds", kind="rows").line
    assert "up to 100.0 points" in PredictedTarget(name="shifted_odds", kind="rows").line


@pytest.mark.parametrize("error", [-0.3, 1.2, float("nan")])
def test_an_error_is_a_share(error):
    with pytest.raises(ValueError, match="a share in"):
        PredictedTarget(name="half_width", kind="rows", proxies=3, errors={("forget_train", "sick"): error})


def test_a_wider_margin_stands_in_the_line():
    lines = [PredictedTarget(name="never_trained", kind="never_trained", margin=margin).line for margin in (0.1, 0.3)]
    assert lines[0].endswith("detects the original.")
    assert lines[1].endswith("The AUC may lie 0.3 from 0.5, not 0.1.")


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("name", 3, "name"),
        ("kind", "another", "kind"),
        ("proxies", "3", "proxies"),
        ("proxies", -1, "proxies"),
        ("proxies", True, "proxies"),
        ("counterparts", "forget", "counterparts"),
        ("margin", "0.1", "margin"),
        ("margin", 0.5, "margin"),
        ("cohorts", None, "cohorts"),
        ("errors", None, "errors"),
        ("errors", [["forget_train", "sick", 0.1]], "errors.0"),
        ("errors", [{"subset": "forget_train", "class": "sick", "error": "0.1"}], "errors.0.error"),
        ("errors", [{"subset": "forget_train", "class": "sick", "error": -0.1}], "errors.0.error"),
        ("errors", 2 * [{"subset": "forget_train", "class": "sick", "error": 0.1}], "one of 'errors' for each"),
        ("errors", ..., "errors"),
        ("eror", [], "eror"),
    ],
)
def test_what_a_run_does_not_write_is_refused_with_its_place(key, value, place):
    content = {**TARGET.to_dict(), key: value}
    content = {name: one for name, one in content.items() if one is not ...}
    with pytest.raises(ConfigError, match=f"^metrics.json: expected a predicted target as a run writes it; .*{place}"):
        PredictedTarget.from_dict(content, source="metrics.json")


@pytest.mark.parametrize("content", [None, [], "half_width"])
def test_another_thing_is_no_target(content):
    with pytest.raises(ConfigError, match="expected a predicted target"):
        PredictedTarget.from_dict(content, source="metrics.json")
