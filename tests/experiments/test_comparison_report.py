from __future__ import annotations

import csv
import json
import re

from comparison_example import metrics

from monai_unlearn.experiments.comparison_report import SHOWN, markdown, table, tables, write_report
from monai_unlearn.experiments.comparison_row import finished, refused
from monai_unlearn.experiments.repeats import merged


def document(**changed):
    who = {"cohort": "<b>camera</b>", "budget": 0.1}
    rows = [
        finished({**who, "method": "reset"}, metrics(), settings={"method::depth": "head"}, objective=0.2),
        finished({**who, "method": "psg"}, metrics(verdict="different", distance=None), settings={}, objective=0.4),
        refused({**who, "method": "rewind"}, "training kept no snapshots."),
    ]
    return {"criterion": "distance", "seeds": 3, "trials": 2, "rows": rows, **changed}


def test_every_form_has_every_row(tmp_path):
    write_report(document(), tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    plots = {f"{kind}-_b_camera__b_-10.svg" for kind in ("gaps", "distance", "classes")}
    assert names == {"compare.json", "compare.csv", "compare.md", "compare.html", *plots}
    assert json.loads((tmp_path / "compare.json").read_text(encoding="utf-8")) == document()
    with (tmp_path / "compare.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["method"] for row in rows] == ["reset", "psg", "rewind"]
    assert (rows[0]["distance_ratio"], rows[1]["distance_ratio"], rows[2]["why"]) == (
        "1.2",
        "",
        "training kept no snapshots.",
    )
    for name in ("compare.md", "compare.html"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert "failed: training kept no snapshots." in text
        assert all(method in text for method in ("reset", "psg", "rewind"))


def test_the_page_needs_no_other_file_and_runs_nothing(tmp_path):
    write_report(document(), tmp_path)
    page = (tmp_path / "compare.html").read_text(encoding="utf-8")
    assert "<b>camera</b>" not in page
    assert "&lt;b&gt;camera&lt;/b&gt;" in page
    shown = re.sub(r"<metadata>.*?</metadata>", "", page, flags=re.DOTALL)
    assert not re.search(r"<script|src=|href=\"(?!#)", shown)
    assert page.count("<svg") == 3


def test_the_same_rows_give_the_same_plots(tmp_path):
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        write_report(document(), tmp_path / folder)
    for path in (tmp_path / "one").glob("*.svg"):
        assert path.read_bytes() == (tmp_path / "other" / path.name).read_bytes()


def test_a_table_of_all_columns_says_why_a_row_failed():
    headings, rows = table(document())
    assert headings[:4] == ["cohort", "budget", "method", "verdict"]
    assert rows[2][3] == "failed: training kept no snapshots."
    assert all(len(row) == len(headings) for row in rows)


def test_a_terminal_gets_a_narrow_table_for_each_cohort_and_budget():
    more = {"cohort": "withdrew", "budget": 0.2, "method": "reset"}
    extended = [*document()["rows"], finished(more, metrics(), settings={}, objective=0.2)]
    first, second = tables(document(rows=extended))
    assert (first.title, second.title) == (
        "<b>camera</b>, 10% of retraining's gradients",
        "withdrew, 20% of retraining's gradients",
    )
    assert list(SHOWN)[:3] == ["method", "verdict", "distance_ratio"]
    assert first.rows == [
        ["reset", "equivalent", "1.20", "", "-3.0%", "11.0%"],
        ["psg", "different", "", "", "-3.0%", "11.0%"],
        ["rewind", "failed", "", "", "", ""],
    ]
    assert first.failed == ["rewind: training kept no snapshots."]
    assert second.failed == []


def test_a_cell_of_several_runs_shows_how_far_they_are_apart():
    who = {"cohort": "camera", "budget": 0.1, "method": "reset"}
    found = [("equivalent", 1.2), ("different", 1.5)]
    runs = [finished(who, metrics(verdict=verdict, distance=one), settings={}, tried=[]) for verdict, one in found]
    runs[0]["remain_gap"] = -0.05
    headings, [cells] = table(document(rows=[merged(runs)]))
    shown = dict(zip(headings, cells, strict=True))
    assert shown["distance ratio, equally sure"] == "1.35 (1.2–1.5)"
    assert shown["remain gap"] == "-0.04 (-0.05 to -0.03)"
    assert shown["verdict"] == "different (1 of 2)"
    assert shown["runs"] == "2"
    assert "ran 2 times, under a seed each" in markdown(document(rows=[merged(runs)], repeats=2), [])


def test_plots_that_no_row_stands_for_are_removed(tmp_path):
    for name in ("gaps-gone-50.svg", "gaps.svg", "mine-50.svg"):
        (tmp_path / name).touch()
    write_report(document(), tmp_path)
    names = {path.name for path in tmp_path.glob("*.svg")}
    assert "gaps-gone-50.svg" not in names
    assert names > {"gaps.svg", "mine-50.svg"}
