from __future__ import annotations

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.settings import read_axes, read_fixed


def test_reads_axes_and_keeps_brackets_whole():
    axes = read_axes(
        ["method::noise=0, 1e-4,1", "phases=[{'steps': 1, 'name': 'forget'}],[]", "method#labels=hard,soft"]
    )
    assert axes == {
        "method::noise": ("0", "1e-4", "1"),
        "phases": ("[{'steps': 1, 'name': 'forget'}]", "[]"),
        "method::labels": ("hard", "soft"),
    }


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "nothing to sweep"),
        (["noise"], "expected ID=V1,V2,… with an id of the config, got 'noise'"),
        (["noise="], "expected ID=V1,V2,…"),
        (["--noise=1"], "expected ID=V1,V2,…"),
        (["noise=1,,2"], "expected distinct values separated by commas, got '1,,2'"),
        (["noise=1,1"], "expected distinct values"),
        (["noise=1", "noise=2"], "--set noise is given twice"),
        (["output_dir=a,b"], r"--set output_dir: the command sets it itself \(--out\)"),
        (["subsets::splits=a"], "the command sets it itself"),
    ],
)
def test_refuses_what_is_no_axis(texts, message):
    with pytest.raises(ConfigError, match=message):
        read_axes(texts)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["noise=2"], "--fix noise: it is already set"),
        (["seed=1", "seed=2"], "--fix seed: it is already set"),
        (["seed"], "expected ID=VALUE"),
        (["reference::x=1"], r"--fix reference::x: the command sets reference itself \(--reference\)\. Leave it out"),
        (["subsets::splits::x=1"], "--fix subsets::splits::x: the command sets subsets::splits itself"),
        (["reference=x"], r"--fix reference: the command sets it itself \(--reference\)"),
    ],
)
def test_refuses_what_is_fixed_twice(texts, message):
    with pytest.raises(ConfigError, match=message):
        read_fixed(texts, {"noise": ("1",)})


def test_settings_of_what_the_command_chooses_are_the_users():
    given = {"method::depth": "head", "subsets::cache_dir": "x"}
    texts = [f"{key}={value}" for key, value in given.items()]
    assert read_fixed(texts, {}, set_by={"method": "--methods", "subsets::splits": "it sets them"}) == given
