from __future__ import annotations

from dataclasses import replace

import pytest

from monai_unlearn.evaluation.predictors import CohortShape, registered
from monai_unlearn.evaluation.predictors.half_width import HALF_WIDTH

SHAPE = CohortShape(reason="device_deprecation", forget={"a": 10, "b": 5}, remain={"a": 100, "b": 100})


@pytest.mark.parametrize("name", ["never_trained", "shifted_odds"])
def test_a_device_is_none_of_these(name):
    """Retrained networks fail the membership test on a device: it is refused."""
    refusal = registered()[name].refusal(SHAPE)
    assert refusal.startswith(f"{name} is for the reasons ")
    assert "the spec's is device_deprecation" in refusal


@pytest.mark.parametrize("name", ["half_width", "last_blocks"])
def test_a_withdrawn_consent_is_no_device(name):
    assert registered()[name].refusal(SHAPE) is None
    assert "consent_withdrawal" in registered()[name].refusal(replace(SHAPE, reason="consent_withdrawal"))


def test_the_target_has_what_was_measured():
    errors = {("forget_train", "a"): 0.03}
    target = HALF_WIDTH.target(SHAPE, proxies=5, cohorts=4, errors=errors)
    assert (target.name, target.kind, target.proxies, target.cohorts) == ("half_width", "rows", 5, 4)
    assert target.errors == errors
    assert (target.margin, target.counterparts) == (None, ())


def test_a_fixed_network_has_no_seeds():
    shape = CohortShape(reason="other", forget={"a": 10}, remain={"a": 30, "b": 40})
    assert registered()["shifted_odds"].target(shape, proxies=5).proxies == 1


@pytest.mark.parametrize("change", [{"name": "half width"}, {"reasons": ()}])
def test_without_name_or_reason_it_is_none(change):
    with pytest.raises(ValueError, match="an identifier as its name and a reason"):
        replace(HALF_WIDTH, **change)
