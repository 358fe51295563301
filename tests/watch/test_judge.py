from __future__ import annotations

from dataclasses import replace

import pytest
from watch_example import drop, plan_of, withdrawals

from monai_unlearn.evaluation.decision.protocol import Protocol
from monai_unlearn.release.store import Store
from monai_unlearn.watch.base import base_of
from monai_unlearn.watch.intake import Intake
from monai_unlearn.watch.judge import Judge, run_spec
from monai_unlearn.watch.spool import Spool
from monai_unlearn.watch.steps import Steps


@pytest.fixture
def judge(place):
    plan, protocol = plan_of(place), Protocol.read(place / "protocol.yaml")
    steps = Steps(store=Store(plan.store), key=plan.key, name="Some", version="1.1.0", protocol=protocol.digest)
    return Judge(plan=plan, spool=Spool(plan.out), protocol=protocol, base=base_of(plan), steps=steps)


def test_what_is_allowed_and_what_is_not(place, judge):
    drop(place, "a.txt", withdrawals(0, 1))
    (name,) = Intake(judge.plan, judge.spool).take().requests
    request = judge.spool.read(name)
    found, reasons = judge.of(request)
    assert (found.with_earlier, reasons, run_spec(found, judge.spool)) == ([], [], judge.spool.spec(request))
    assert "There is no ledger" in replace(judge, steps=None).of(request)[1][0]
    other = replace(judge, base=replace(judge.base, weights=None))
    assert "with other weights" in other.of(request)[1][0]
    none = replace(judge, plan=replace(judge.plan, runs_a_day=0))
    assert none.of(request)[1] == ["0 runs within 24 hours are allowed (--runs-a-day), and as many began already."]
