from __future__ import annotations

from pathlib import Path

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.comparison_plan import ComparisonPlan


def plan(tmp_path, **changed):
    config = tmp_path / "unlearn.yaml"
    config.touch()
    values = {"config": config, "index": tmp_path, "specs": [Path("a.yaml")], "fixed": {}, **changed}
    return ComparisonPlan(**values)


def test_the_defaults_are_every_method_at_a_tenth(tmp_path):
    found = plan(tmp_path)
    assert (found.methods, found.budgets, found.trials) == (("all",), (0.1,), 6)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"config": Path("nowhere.yaml")}, "there is no such config"),
        ({"seeds": 2}, "--seeds: expected at least 3, got 2"),
        ({"trials": 0}, "--trials: expected at least 1"),
        ({"repeats": 0}, "--repeats: expected at least 1"),
        ({"jobs": 0}, "--jobs: expected at least 1"),
        ({"fixed": {"seed": "abc"}}, "--fix seed: expected a whole number of at least 0, got 'abc'"),
        ({"fixed": {"seed": "-1"}}, "--fix seed: expected"),
        ({"fixed": {"method::depth": "head"}, "methods": ["default", "reset"]}, "--fix method::depth: default, which"),
        ({"specs": []}, "expected at least one --spec"),
        ({"methods": []}, "expected at least one --spec, one method"),
        ({"budgets": [0.0]}, "--budget: expected different shares"),
        ({"budgets": [0.1, 1.1]}, "--budget: expected different shares"),
        ({"budgets": [0.1, 0.1]}, "--budget: expected different shares"),
    ],
)
def test_what_cannot_be_compared_is_refused(tmp_path, changed, message):
    with pytest.raises(ConfigError, match=message):
        plan(tmp_path, **changed)


def test_repeats_count_on_from_the_seed_that_the_first_run_has(tmp_path):
    assert plan(tmp_path).first_seed == 0
    (tmp_path / "unlearn.yaml").write_text("seed: 4\n", encoding="utf-8")
    found = {"config": tmp_path / "unlearn.yaml", "index": tmp_path, "specs": [Path("a.yaml")]}
    assert ComparisonPlan(**found, fixed={}).first_seed == 4
    assert ComparisonPlan(**found, fixed={"seed": "7"}).first_seed == 7
    with pytest.raises(ConfigError, match=r"^seed: expected .*, got '\$1 \+ 1'\. Give"):
        assert ComparisonPlan(**found, fixed={"seed": "$1 + 1"}).first_seed
