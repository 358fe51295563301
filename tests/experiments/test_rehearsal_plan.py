from __future__ import annotations

from pathlib import Path

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.rehearsal_plan import RehearsalPlan


def plan(tmp_path, **changed):
    config = tmp_path / "unlearn.yaml"
    config.write_text("budget: 0.1\n", encoding="utf-8")
    return RehearsalPlan(**{"config": config, "index": Path("index"), "specs": [Path("a")], "fixed": {}, **changed})


def test_plain_values_are_taken(tmp_path):
    found = plan(tmp_path, fixed={"image_size": "[16,16]", "class_names": "['up','down']"})
    assert (found.tune_on, found.seeds, found.trials, found.methods) == (2, 3, 6, ("reset", "psg", "finetune"))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"config": Path("none.yaml")}, "none.yaml: there is no such config"),
        ({"seeds": 2}, "--seeds: expected at least 3, got 2"),
        ({"draw": -1}, "--draw: expected at least 0"),
        ({"tune_on": -1}, "--tune-on: expected at least 0"),
        ({"trials": 0}, "--trials: expected at least 1"),
        ({"jobs": 0}, "--jobs: expected at least 1"),
        ({"deep": 19}, "--deep-networks: expected at least 20, got 19"),
        ({"small": {"max_epochs": "1"}}, "--small: it is about the networks of --deep"),
        ({"specs": []}, "expected at least one --spec"),
        ({"methods": []}, "and one method"),
        ({"tune_on": 0}, "nothing would choose between methods"),
        (
            {"fixed": {"learning_rate": "$@training.learning_rate"}},
            "--fix learning_rate: a protocol holds plain values",
        ),
        ({"fixed": {"method::noise": "1"}}, "--fix method::noise"),
        ({"fixed": {"stop::seconds": "1"}}, "--fix stop::seconds"),
    ],
)
def test_what_cannot_be_rehearsed_is_refused(tmp_path, changed, message):
    with pytest.raises(ConfigError, match=message):
        plan(tmp_path, **changed)
