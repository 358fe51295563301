from __future__ import annotations

import pytest

from monai_unlearn.release.verify.report import Fault, Kind, Report, tampered


def report(*kinds):
    faults = [Fault(kind=kind, file="f", what="x") for kind in kinds]
    return Report(bundle="b", name="", version="", verdict=None, weights_digest=None, faults=faults, warnings=[])


@pytest.mark.parametrize(
    ("kinds", "code"),
    [
        ((), 0),
        ((Kind.UNSIGNED,), 5),
        ((Kind.UNSIGNED, Kind.WRONG_KEY), 4),
        ((Kind.UNSIGNED, Kind.TAMPERED, Kind.WRONG_KEY), 3),
    ],
)
def test_of_several_codes_the_lowest_counts(kinds, code):
    assert report(*kinds).exit_code == code
    assert report(*kinds).to_dict()["sound"] == (code == 0)


def test_a_fault_is_one_line():
    assert tampered("a\nb", "c\r\nd").line == "a\\nb: c\\r\\nd"
    assert tampered("a", "b").to_dict() == {"kind": "tampered", "file": "a", "message": "a: b"}
