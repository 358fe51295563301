from __future__ import annotations

from pathlib import Path

import pytest
from evidence_example import evidence

from monai_unlearn.engine.report import cost_line, percent, print_result

MODELS = {
    "original": {"forget": 95, "remain": 90},
    "revised": {"forget": 40, "remain": 89},
    "reference": {"forget": 42, "remain": 90},
}
CRITERION = {"measure": "remain_test_accuracy", "min": 0.8, "max": None, "value": 0.89, "verdict": "passed"}


def printed(capsys, monkeypatch, **changes):
    monkeypatch.setenv("COLUMNS", "160")
    print_result({**evidence(**MODELS), **changes}, Path("out"))
    return capsys.readouterr().out


def test_models_are_rows_and_subsets_are_columns(capsys, monkeypatch):
    lines = printed(capsys, monkeypatch).splitlines()
    rows = {line.split("│")[1].strip(): line for line in lines if line.startswith("│")}
    assert set(rows) >= {"before", "after", "reference"}
    assert [cell.split()[0] for cell in rows["after"].split("│")[2:-1]] == ["40.0", "40.0", "89.0", "89.0"]
    assert sum("n=100" in line for line in lines) == 1


@pytest.mark.parametrize(("accepted", "title"), [(True, "Accepted"), (False, "NOT ACCEPTED: nothing is promoted")])
def test_criteria_have_limits_values_and_verdicts(capsys, monkeypatch, accepted, title):
    open_criterion = {"measure": "forget", "min": None, "max": 0.1, "value": None, "verdict": "not_judged"}
    text = printed(capsys, monkeypatch, accepted=accepted, criteria=[CRITERION, open_criterion])
    assert title in text
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "│" in line]
    assert ["remain_test_accuracy", "≥ 0.8", "0.890", "passed"] in rows
    assert ["forget", "≤ 0.1", "–", "not judged"] in rows


@pytest.mark.parametrize(
    ("retrain", "answer"), [(True, "yes"), (False, "nothing measured suggests it"), (None, "unknown")]
)
def test_the_recommendation_is_printed_with_its_reasons(capsys, monkeypatch, retrain, answer):
    found = {"retrain": retrain, "reasons": ["a reason"]}
    text = printed(capsys, monkeypatch, recommendation=found, warnings=["a warning"])
    assert f"Would retraining have been better? {answer}\n  - a reason\nNote: a warning\n" in text
    assert text.endswith(f"Model-card difference: {Path('out/evidence/model_card_diff.md')}\n")


def test_the_run_and_the_run_with_its_references_are_told_apart():
    cost = evidence(share=0.1, **MODELS)["cost"]
    assert cost_line(cost) == (
        "Cost: this run 100 gradient evaluations (10% of retraining once); with its references, 1 in number, "
        "1,100 gradient evaluations (110% of retraining once)."
    )
    alone = evidence(original=MODELS["original"], revised=MODELS["revised"])["cost"]
    assert cost_line(alone).endswith("gradient evaluations; no reference was trained.")
    unknown = {
        **cost,
        "with_references": {"gradient_evaluations": None, "seconds": None},
        "share_with_references": None,
    }
    assert cost_line(unknown).endswith("1 in number, unknown.")


def test_accuracy_is_in_percent_with_its_interval():
    assert percent({"accuracy": 0.875, "interval": [0.8, 0.92]}) == "87.5 (80–92)"
    assert percent({"accuracy": None, "interval": None}) == "–"
