"""The options, schedules and settings in docs/methods/psg.md agree with the code."""

from __future__ import annotations

import inspect
import math
import re
from pathlib import Path

import pytest
import yaml

from monai_unlearn.methods import PSG, PUBLISHED, BoundaryShrink, PublishedPSG, Schedule, info_of
from monai_unlearn.methods.label_search import CHUNK_SIZE, MIN_CHUNKS_FOR_BFLOAT16
from monai_unlearn.methods.noise import NOISE_DISTRIBUTIONS
from monai_unlearn.methods.psg import PRESETS
from monai_unlearn.methods.schedules import SCHEDULES

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "methods" / "psg.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_the_table_of_options_is_the_signature():
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \| (.+) \|$", section("Options"), flags=re.MULTILINE)
    documented = {name: yaml.safe_load(default) for name, default, _ in rows}
    parameters = inspect.signature(PSG.__init__).parameters
    assert documented == {name: value.default for name, value in parameters.items() if name != "self"}
    assert list(documented) == list(parameters)[1:]


def test_the_words_of_an_option_are_those_that_it_takes():
    choice = r"^\| `(\w+)` \| \S+ \| (?:[^|:]*: )?(\w+(?:, \w+)* or \w+) \|$"
    words = dict(re.findall(choice, section("Options"), flags=re.MULTILINE))
    assert set(re.split(", | or ", words["noise_distribution"])) == set(NOISE_DISTRIBUTIONS)
    for name in (
        "proximity_schedule",
        "noise_scale",
        "labels",
        "unflipped",
        "search_precision",
        "remain_targets",
        "batch_norm",
    ):
        for word in re.split(", | or ", words[name]):
            PSG(**{name: word})
    assert re.split(", | or ", words["preset"]) == list(PRESETS)
    assert set(re.split(", | or ", words["proximity_schedule"])) == set(SCHEDULES)


def test_the_schedules_are_the_formulas():
    rows = dict(re.findall(r"^\| `(\w+)` \| (λ(?!ₜ).*?)(?:, r = .*)? \|$", section("Search"), flags=re.MULTILINE))
    assert set(rows) == set(SCHEDULES)
    for kind, formula in rows.items():
        python = formula.replace("λ", "2.0").replace("·", "*").replace("−", "-").replace("exp(-r (", "exp(-r * (")
        for t in (1, 2, 5):
            value = eval(python, {"exp": math.exp, "r": 0.3, "t": t, "T": 5})  # noqa: S307 - our own text
            assert Schedule(start=2.0, kind=kind, rate=0.3).at(t, 5) == pytest.approx(value)


def test_the_published_settings_are_those_of_the_record():
    text = section("The published loop and boundary shrinking")
    assert f"descent at 1e-5 with momentum {PUBLISHED.momentum}, {PUBLISHED.passes} passes" in text.replace("\n", " ")
    assert PUBLISHED.learning_rate == 1e-5
    assert f"batches of {PUBLISHED.batch_size}" in text
    assert all(f"`{name}`" in text for name in inspect.signature(PublishedPSG).parameters)


def test_the_sizes_of_the_bfloat16_trial_are_those_of_the_search():
    text = section("Options").replace("\n", " ")
    assert f"all labels of the first {CHUNK_SIZE} images agree" in text
    assert f"With fewer than {CHUNK_SIZE * (MIN_CHUNKS_FOR_BFLOAT16 - 1) + 1} images bfloat16 is not tried" in text


@pytest.mark.parametrize("method", [BoundaryShrink(), PublishedPSG(noise=0.1)])
def test_each_loop_is_documented_under_its_own_source(method):
    info, text = info_of(method), section("The published loop and boundary shrinking")
    (row,) = (line for line in text.splitlines() if line.startswith(f"| `{info.name}` (`{type(method).__name__}`) |"))
    assert info.paper.split(",")[0] in row
