from __future__ import annotations

import subprocess

import pytest

from monai_unlearn.experiments.overlay import trial
from monai_unlearn.experiments.overlay.trial import check_report, try_configs

UNIT = (0.0, 1.0)


def outputs(*shapes, names=(None,)):
    return [{"name": name, "shape": shape} for name, shape in zip(names, shapes, strict=True)]


def codes(report, *, item=True):
    return [one.code for one in check_report({"failed": {}, **report}, item=item, value_range=UNIT)]


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ({"outputs": outputs([1, 4])}, []),
        ({"outputs": outputs([1, 4, 1, 1])}, []),
        ({"outputs": outputs([1, 4, 8, 8])}, ["no_classifier"]),
        ({"failed": {"forward": "RuntimeError: x"}}, ["dry_run_forward"]),
        ({"failed": {"training": "RuntimeError: x"}}, []),
        ({"input": {"low": 0.0, "high": 255.0}}, ["pixel_range"]),
        ({"input": {"low": -0.001, "high": 1.001}}, []),
    ],
)
def test_what_a_report_says_against_a_bundle(report, expected):
    assert codes(report) == expected


def test_inputs_are_compared_with_the_range_of_inputs():
    report = {"failed": {}, "input": {"low": -1.9, "high": 1.9}}
    assert not list(check_report(report, item=True, value_range=(-2.0, 2.0)))
    assert not list(check_report(report, item=True, value_range=None))
    (one,) = check_report(report, item=True, value_range=UNIT)
    assert one.code == "pixel_range"


def test_without_an_image_preprocessing_was_not_tried():
    assert codes({"input": {"low": 0.0, "high": 255.0}}, item=False) == ["no_image"]


def test_a_process_that_ends_without_a_report(tmp_path, monkeypatch):
    done = subprocess.CompletedProcess([], 1, "", "first\nModuleNotFoundError: none\n")
    monkeypatch.setattr(trial.subprocess, "run", lambda *_, **__: done)
    assert try_configs({"bundle_root": str(tmp_path)}) == {"failed": {"configs": "ModuleNotFoundError: none"}}


def test_a_process_that_does_not_end(tmp_path, monkeypatch):
    def wait(*_, **__):
        raise subprocess.TimeoutExpired("python", 1)

    monkeypatch.setattr(trial.subprocess, "run", wait)
    assert "no answer" in try_configs({"bundle_root": str(tmp_path)})["failed"]["configs"]
