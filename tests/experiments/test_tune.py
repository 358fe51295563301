from __future__ import annotations

import builtins
import math

import pytest

from monai_unlearn.errors import ConfigError, TrainingError
from monai_unlearn.experiments.tune import best, tune

SPACE = {"method::depth": ["last_block", "head", 2], "training::rate_factor": [1.0, 0.5, 2.0, 4.0]}


def bowl(settings):
    return abs(math.log2(settings["training::rate_factor"]) - 1) + ["last_block", "head", 2].index(
        settings["method::depth"]
    )


def test_the_first_is_the_one_to_start_from_and_each_is_tried_once():
    seen = []

    def evaluate(settings):
        seen.append(dict(settings))
        return bowl(settings)

    tried = tune(SPACE, evaluate, trials=6, seed=0)
    assert [dict(one.settings) for one in tried] == seen
    assert seen[0] == {"method::depth": "last_block", "training::rate_factor": 1.0}
    assert len({tuple(one.items()) for one in seen}) == 6
    assert best(tried).objective == min(map(bowl, seen))


def test_the_same_results_give_the_same_trials():
    one, same, other = (tune(SPACE, bowl, trials=6, seed=seed) for seed in (3, 3, 4))
    assert one == same != other


def test_a_small_space_is_tried_whole():
    tried = tune({"a": [1, 2], "b": [True, False]}, lambda found: found["a"], trials=50, seed=0)
    assert len(tried) == 4


def test_a_setting_that_fails_is_not_chosen():
    def evaluate(settings):
        if settings["a"] == 1:
            raise TrainingError("the loss is NaN")
        return 5.0

    tried = tune({"a": [1, 2]}, evaluate, trials=2, seed=0)
    assert best(tried).settings == {"a": 2}
    assert [one.to_dict()["objective"] for one in tried] == [None, 5.0]
    with pytest.raises(TrainingError, match="every setting that was tried failed"):
        tune({"a": [1]}, evaluate, trials=1, seed=0)


def test_optuna_is_needed_only_where_there_is_something_to_choose(monkeypatch):
    imported = builtins.__import__

    def missing(name, *arguments, **options):
        if name == "optuna":
            raise ImportError(name)
        return imported(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    assert tune(SPACE, bowl, trials=1, seed=0)[0].settings["training::rate_factor"] == 1.0
    with pytest.raises(ConfigError, match=r"needs Optuna: pip install 'monai-unlearn\[tune\]'.*--trials 1"):
        tune(SPACE, bowl, trials=2, seed=0)
