from __future__ import annotations

from monai_unlearn.experiments.rehearsal_report import markdown, plot, table


def method(name, *, chosen, verdicts, objective=0.4):
    equivalent = sum(one == "equivalent" for one in verdicts.values())
    return {
        "name": name,
        "chosen": chosen,
        "settings": {"method::depth": "head", "training::rate_factor": 2.0},
        "objective": objective,
        "tried": [{"settings": {}, "objective": objective}, {"settings": {}, "objective": None}],
        "cohorts": len(verdicts),
        "equivalent": equivalent,
        "bound": 0.6316,
        "line": "x",
        "verdicts": verdicts,
        "why": {key: "too wide." for key, one in verdicts.items() if one != "equivalent"},
        "share_of_retraining_gradients": 0.1,
    }


DOCUMENT = {
    "line": "2 of 2 rehearsal cohorts equivalent, 95 % upper bound of failure 78 %",
    "chosen": "reset",
    "criterion": "the distance",
    "cohorts": [
        {"name": name, "role": role, "kind": "another_value", "patients": 20, "images": 40}
        for name, role in (("a", "tuned"), ("b", "counted"), ("c", "counted"))
    ],
    "methods": [
        method("reset", chosen=True, verdicts={"b": "equivalent", "c": "equivalent"}),
        method("psg", chosen=False, verdicts={"b": "different", "c": "target_undetermined"}, objective=None),
    ],
}


def test_a_row_a_method_with_the_chosen_one_marked():
    headings, rows = table(DOCUMENT)
    assert len(headings) == len(rows[0])
    assert rows[0] == ["reset", "depth head, rate_factor 2.0", "0.4000", "2 of 2", "63 %", "10.0%", "*"]
    assert (rows[1][2], rows[1][-1]) == ("", "")


def test_the_page_names_the_cohorts_what_they_were_and_why_they_failed():
    text = markdown(DOCUMENT)
    assert "**2 of 2 rehearsal cohorts equivalent, 95 % upper bound of failure 78 %** by reset" in text
    assert "| a | another value | 20 | 40 | chose settings | chose settings |" in text
    assert "| c | another value | 20 | 40 | equivalent | target undetermined |" in text
    assert "- psg, b: too wide." in text


def test_the_plot_is_a_picture(tmp_path):
    plot(DOCUMENT, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
