from __future__ import annotations

from pathlib import Path

from evidence_example import evidence

from monai_unlearn.engine.report import cost_line, percent, print_result

MODELS = {
    "original": {"forget": 95, "remain": 90},
    "revised": {"forget": 40, "remain": 89},
    "reference": {"forget": 42, "remain": 90},
}


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


def test_what_was_judged_is_a_row_by_subset_and_class(capsys, monkeypatch):
    text = printed(capsys, monkeypatch)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "│" in line]
    (row,) = [row for row in rows if row[:2] == ["forget train, a", "probability of a"]]
    assert row[5:7] == ["10", "50"]
    assert not [row for row in rows if row[-1] == "clear, guard"]


def test_the_method_stands_with_who_chose_it(capsys, monkeypatch):
    assert "Method: psg; the user chose it." in printed(capsys, monkeypatch).splitlines()


def test_the_line_of_the_verdict_is_last_after_why(capsys, monkeypatch):
    lines = printed(capsys, monkeypatch, warnings=["a warning"]).splitlines()
    assert "Note: a warning" in lines
    assert lines[-1] == "target_undetermined: the retrained networks do not agree closely enough to be a target."
    assert lines[-2] == f"Model-card difference: {Path('out/evidence/model_card_diff.md')}"
    assert any(line.startswith("  - Too few retrained networks (1)") for line in lines)
    # The message of the run has what would decide; both stand on a terminal.
    assert not any(line.startswith("Needs: ") for line in lines)
    assert "ccepted" not in "".join(lines)


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


def test_a_composition_says_that_its_revisions_are_counted():
    cost = {**evidence(original=MODELS["original"], revised=MODELS["revised"])["cost"], "parents": {}}
    assert cost_line(cost).startswith("Cost: this run with the revisions that it composes ")


def test_accuracy_is_in_percent_with_its_interval():
    assert percent({"accuracy": 0.875, "interval": [0.8, 0.92]}) == "87.5 (80–92)"
    assert percent({"accuracy": None, "interval": None}) == "–"


def test_the_cost_of_a_predictor_stands_beside_that_of_references():
    cost = {**evidence(**MODELS)["cost"], "proxies": 3, "share_with_predictor": 0.5}
    cost["with_predictor"] = {"gradient_evaluations": 1500, "seconds": 2.0}
    line = cost_line(cost)
    assert "; with the proxies of its predictors, 1,500 gradient evaluations (50% of retraining once); with its" in line
