from __future__ import annotations

from dataclasses import replace

import pytest
from release_example import write_keys

from monai_unlearn.release.ledger import LedgerKey
from monai_unlearn.release.store import Store
from monai_unlearn.watch.spool import new_request
from monai_unlearn.watch.steps import Steps


@pytest.fixture
def steps(tmp_path):
    key = LedgerKey.read(write_keys(tmp_path)[0])
    return Steps(store=Store(tmp_path / "store"), key=key, name="Some", version="1.0", protocol="sha256:p")


def request(visit):
    return replace(new_request("ab", kind="spec", file="x", digest="sha256:r", trusted="owner"), visit=visit)


def test_a_step_is_noted_once_for_each_visit(steps):
    for visit in ("a", "a", "b"):
        steps.note("receive", request(visit), why="so")
    first, _ = steps.store.ledger.lines()
    assert first.event.digests == {"visit": "a", "protocol": "sha256:p", "request": "sha256:r"}
    assert (first.event.event, first.event.why, first.event.version) == ("receive", "so", "1.0")


def test_runs_of_others_are_counted(steps):
    for visit in ("a", "b"):
        steps.note("start", request(visit))
    assert (steps.started(but=request("a")), steps.started(but=request("c"))) == (1, 2)


def test_accepted_runs_of_this_protocol(steps):
    steps.note("finish", request("a"), verdict="qualified")
    steps.note("finish", request("b"), verdict="inconclusive")
    replace(steps, protocol="sha256:q").note("finish", request("c"), verdict="qualified")
    assert steps.accepted() == {"a"}
