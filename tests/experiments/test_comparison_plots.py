from __future__ import annotations

from comparison_example import metrics

from monai_unlearn.experiments.comparison_plots import _mark, plots
from monai_unlearn.experiments.comparison_row import finished, refused


def test_each_cohort_and_budget_is_drawn_and_each_method_named():
    rows = [
        finished({"cohort": cohort, "method": method, "budget": budget}, metrics(), settings={}, objective=1)
        for cohort in ("a", "b")
        for budget in (0.1, 0.2)
        for method in ("reset", "psg")
    ]
    drawn = plots({"rows": rows})
    assert len(drawn) == 2 * 2 * 3
    for name, text in drawn.items():
        assert text.startswith("<?xml")
        assert "reset" in text
        assert "psg" in text
        assert name.startswith("distance") or "retrained" in text
        assert name.startswith("classes") or "verdict: equivalent" in text
        # Costs that hardly differ do not lie far apart.
        assert not name.startswith("distance") or ">0.00<" in text


def test_what_failed_or_has_no_figure_is_left_out():
    empty = metrics(distance=None)
    empty["models"] = {name: one for name, one in empty["models"].items() if not name.startswith("reference")}
    who = {"cohort": "a", "budget": 0.1}
    rows = [
        finished({**who, "method": "reset"}, empty, settings={}, objective=1),
        refused({**who, "method": "rewind"}, "no"),
    ]
    drawn = plots({"rows": rows})
    assert sorted(name.partition("-")[0] for name in drawn) == ["classes", "distance", "gaps"]
    assert plots({"rows": rows[1:]}) == {}


def test_each_method_has_a_mark_of_its_own_and_the_legend_names_it_once():
    rows = [
        finished({"cohort": "a", "method": f"m{number:02}", "budget": 0.125}, metrics(), settings={}, objective=1)
        for number in range(25)
    ]
    drawn = plots({"rows": rows})
    text = drawn["classes-a-12.5.svg"]
    assert [text.count(f">m{number:02}<") for number in range(25)] == [1] * 25
    assert "a, 12.5 %" in text
    assert len({tuple(sorted(_mark(number).items())) for number in range(25)}) == 25
