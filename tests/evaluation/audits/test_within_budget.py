from __future__ import annotations

import pytest
from audit_example import audited, frame, network

from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation.audits import Audit, Cost, Finding, allowance, check_share, measure_audits

ROWS = frame({"forget_train": 2, "remain_train": 2})
SUBJECT = audited(ROWS, {"original": network(ROWS, seed=1), "revised": network(ROWS, seed=2)}, networks=object())


class Clock:
    """A clock that audits move on."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def audit(self, name, *, takes, cost=None):
        def measure(_audited):
            self.now += takes
            return Finding(facts={"left": _audited.seconds_left()})

        return Audit(name=name, description="", measure=measure, cost=cost and (lambda _: cost))


def measured(*audits, clock, allowed=10.0, subject=SUBJECT):
    return measure_audits(audits, subject, allowed=allowed, seconds_per_pass=0.01, clock=clock)


@pytest.mark.parametrize("seconds", [4.0, 30.0])
def test_the_allowance_is_a_share_of_the_whole_and_a_quarter_by_default(seconds):
    assert allowance(seconds) / (seconds + allowance(seconds)) == pytest.approx(0.25)
    assert allowance(seconds, 0.6) / (seconds + allowance(seconds, 0.6)) == pytest.approx(0.6)


def test_without_a_limit_nothing_is_left_out():
    clock = Clock()
    found, spent = measured(
        clock.audit("long", takes=1e9, cost=Cost(passes=10**12)), clock=clock, allowed=allowance(1.0, 1)
    )
    assert found["long"]["status"] == "measured"
    assert spent["allowed"] is None


@pytest.mark.parametrize("share", [0, -0.1, 1.01, True, "all", None, float("nan")])
def test_what_is_no_share_is_refused(share):
    with pytest.raises(ConfigError, match="audit_share: expected the share of a run's seconds .* and at most 1, got"):
        check_share(share)
    check_share(1)
    check_share(0.25)


def test_what_does_not_fit_is_left_out_with_a_reason():
    clock = Clock()
    found, spent = measured(
        clock.audit("table", takes=1),
        clock.audit("fits", takes=2, cost=Cost(passes=800, seconds=1)),
        clock.audit("too_long", takes=9, cost=Cost(passes=500, seconds=3)),
        clock.audit("small", takes=1, cost=Cost(passes=100)),
        clock=clock,
    )
    assert [one["status"] for one in found.values()] == ["measured", "measured", "skipped", "measured"]
    assert found["too_long"]["why"] == (
        "It would take about 8.0 s, and 7.0 s are left of the share of the run's seconds that audits may take "
        "(audit_share)."
    )
    assert found["fits"]["facts"] == {"left": 7.0}
    assert spent == {
        "allowed": 10.0,
        "seconds": 4.0,
        "by_audit": {"table": 1.0, "fits": 2.0, "too_long": 0.0, "small": 1.0},
    }


def test_what_needs_the_table_alone_is_measured_in_any_case():
    clock = Clock()
    found, _ = measured(clock.audit("first", takes=11), clock.audit("second", takes=1), clock=clock)
    assert [one["status"] for one in found.values()] == ["measured", "measured"]


def test_without_networks_their_audits_are_left_out():
    clock = Clock()
    plain = audited(ROWS, dict(SUBJECT.table.logits))
    found, _ = measured(clock.audit("some", takes=1, cost=Cost(passes=1)), clock=clock, subject=plain)
    assert found["some"]["status"] == "skipped"
    assert "the table of predictions alone" in found["some"]["why"]


def test_an_error_ends_the_audit_and_not_the_run():
    def measure(_audited):
        raise RuntimeError("patient-007 does not converge")

    found, _ = measured(Audit(name="some", description="", measure=measure), clock=Clock())
    assert found["some"]["status"] == "failed"
    assert found["some"]["why"] == "It ended with an error (RuntimeError)."
