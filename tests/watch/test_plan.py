from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.watch.plan import WatchPlan

PLAN = WatchPlan(inbox=Path("in"), index=Path("index"), protocol=Path("p.yaml"), out=Path("out"))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"runs_a_day": -1}, "--runs-a-day: expected 0 or more, got -1"),
        ({"store": Path("store")}, "--store and --key: expected both"),
        ({"out": Path("in")}, "expected a folder apart from --inbox"),
        ({"out": Path("in/out")}, "expected a folder apart from --inbox"),
        ({"inbox": Path("out/in")}, "expected a folder apart from --inbox"),
    ],
)
def test_what_is_refused(changed, why):
    with pytest.raises(ConfigError, match=why):
        replace(PLAN, **changed)
