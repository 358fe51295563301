from __future__ import annotations

from dataclasses import replace

from watch_example import plan_of

from monai_unlearn.watch.revise import Ended, revise
from monai_unlearn.watch.spool import Spool, new_request


def run_of(place):
    plan = plan_of(place, fixed={"device": "cpu"}, keyfile=place / "site.key")
    request = new_request("ab", kind="spec", file="x", digest=None, trusted="owner")
    return revise(replace(request, bundle=str(place / "bundle")), plan, Spool(plan.out))


def test_the_settings_of_a_run(place):
    run = run_of(place)
    assert run.config == place / "bundle" / "configs" / "unlearn.yaml"
    assert (run.settings["device"], run.settings["keyfile"]) == ("cpu", str(place / "site.key"))
    assert run.settings["cohort_spec"] == str(place / "out" / "requests" / "ab" / "cohort_spec.yaml")
    assert run.in_ledger


def test_how_a_run_ended(place, played):
    run = run_of(place)
    played.code = -9
    assert Ended.of(run) == Ended(is_killed=True)
    played.code = 1
    assert "exit code 1" in Ended.of(run).reasons[0]
    played.code = 0
    assert (Ended.of(run).verdict, Ended.of(run).reasons) == ("qualified", [])
    assert len(played.runs) == 3
