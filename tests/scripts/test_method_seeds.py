"""Which rows of the comparison run again, and what is kept of them beside rows measured before."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest
from committed_rows import case, row
from script import ROOT

sys.path.append(str(ROOT / "benchmarks"))

import method_seeds

FAILED = {"method": "reset", "status": "failed", "why": "no", "original": 0, "budget": 0.1}


@pytest.fixture
def ran(monkeypatch, tmp_path):
    """A call that measures without a network; returns the rows that it ran."""
    rows = [row("default", 1.0), row("default", 1.0, budget=0.2), row("psg", 1.0), FAILED]
    compared = case(*rows, {**row("default", 1.0), "original": 1})
    (tmp_path / "comparison_final_mri_glioma.json").write_text(json.dumps(compared), encoding="utf-8")
    found = []

    def measured(_, rows, __):
        for one in rows:
            found.append((one["original"], one["budget"], one["method"]))
            yield from ({**one, "seed": seed} for seed in method_seeds.MORE)

    monkeypatch.setattr(method_seeds, "measured", measured)

    def call(**changed):
        found.clear()
        options = {"methods": method_seeds.METHODS, "budget": None, "original": None, "results": tmp_path} | changed
        method_seeds.measure("mri_glioma", SimpleNamespace(**options))
        return list(found)

    return call


def test_finished_rows_of_the_methods_run_again_at_every_budget_and_from_every_original(ran):
    assert ran() == [(0, 0.1, "default"), (0, 0.2, "default"), (1, 0.1, "default")]


def test_a_budget_an_original_and_methods_narrow_it(ran):
    assert ran(budget=0.2) == [(0, 0.2, "default")]
    assert ran(original=1, methods="psg,default") == [(1, 0.1, "default")]


def test_what_was_measured_before_stays_and_is_replaced_by_the_same_run_alone(ran, tmp_path):
    ran(budget=0.2)
    ran(original=0, methods="default")
    rows = json.loads((tmp_path / "method_seeds_mri_glioma.json").read_text(encoding="utf-8"))["rows"]
    assert [(one["budget"], one["seed"]) for one in rows] == [(0.1, 1), (0.1, 2), (0.2, 1), (0.2, 2)]
