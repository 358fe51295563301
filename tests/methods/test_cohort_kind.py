from __future__ import annotations

import pytest

from monai_unlearn.cohort.spec.document import Reason
from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import registered
from monai_unlearn.methods.cohort_kind import check_boundary_targets, cohort_kind, suit_warnings
from monai_unlearn.methods.registry import SUITS, MethodInfo


@pytest.mark.parametrize(
    ("reason", "forget", "others", "kind"),
    [
        ("other", {0: 10}, {1: 5, 2: 5}, "class"),
        ("policy_change", {0: 10, 2: 1}, {1: 5}, "class"),
        ("device_deprecation", {0: 10}, {0: 0, 1: 5}, "class"),
        ("other", {0: 10, 1: 0}, {0: 1, 1: 5}, "part_of_class"),
        ("anatomical_outlier", {0: 10, 1: 2}, {0: 1, 1: 5}, "device"),
        ("anatomical_outlier", {0: 10, 1: 2}, {1: 5}, "device"),
        ("device_deprecation", {0: 10}, {0: 1, 1: 5}, "device"),
        ("consent_withdrawal", {0: 10}, {1: 5}, "patients"),
        ("label_error", {0: 10, 1: 2}, {0: 1}, "labels"),
    ],
)
def test_the_kind_follows_from_reason_and_classes(reason, forget, others, kind):
    assert cohort_kind(Reason(reason), forget=forget, others=others) == kind


def info(**values):
    return MethodInfo(name="psg", paper="", equations="", needs=(), batch_norm="", cost="", **values)


def test_a_method_that_was_not_made_for_the_kind_is_warned_of():
    for kind in SUITS:
        [text] = suit_warnings(info(suits=()), kind)
        assert "is a control, made for no kind of cohort" in text
        assert suit_warnings(info(suits=(kind,)), kind) == []
    [text] = suit_warnings(info(suits=("class",)), "device")
    assert text == (
        "The method psg is not known to suit this cohort (images of a device, site or period, of several classes): "
        "it was made for all images of a class, and no others."
    )


def test_nothing_is_said_of_a_method_that_is_not_registered():
    mine = MethodInfo(name="mine", paper="", equations="", needs=(), suits=(), batch_norm="", cost="")
    assert suit_warnings(mine, "class") == []


def test_boundary_targets_are_refused_on_two_classes_alone_and_unless_forced():
    method = info(suits=("class",), boundary_targets=True)
    with pytest.raises(ConfigError, match=r"sensitivity fell from 96 % to 7 %, .*--method reset, .*--force true"):
        check_boundary_targets(method, classes=2, force=False)
    check_boundary_targets(method, classes=2, force=True)
    check_boundary_targets(method, classes=3, force=False)
    for one, _ in registered().values():
        if not one.boundary_targets:
            check_boundary_targets(one, classes=2, force=False)
