from __future__ import annotations

import json

import pytest
from comparison_example import metrics
from studio_client import MARKUP, Visitor, words

from monai_unlearn.experiments.comparison_row import finished
from monai_unlearn.studio.comparisons import comparison_plot, comparisons


@pytest.fixture
def visitor(tmp_path):
    visitor = Visitor(work=tmp_path / "work")
    row = finished({"cohort": MARKUP, "budget": 0.1, "method": "reset"}, metrics(), settings={}, objective=0.2)
    documents = {"first": json.dumps({"rows": [row]}), "half": '{"rows": [{"co', "list": "[3]", "none": "{}"}
    for name, content in documents.items():
        folder = visitor.studio.workspace.root / "comparisons" / name
        folder.mkdir(parents=True)
        (folder / "compare.json").write_text(content, encoding="utf-8")
    return visitor


def test_a_comparison_has_its_table_and_its_plots(visitor):
    (found,) = comparisons(visitor.studio)
    assert found["table"].caption == "Comparison of methods: first"
    assert [cell.text for cell in found["table"].rows[0]][2] == "reset"
    assert [name.partition("-")[0] for name in found["plots"]] == ["gaps", "distance", "classes"]
    page = visitor.get("/evidence").text
    assert "Comparison of methods: first" in words(page)
    assert page.count('<img src="/evidence/plot?comparison=0&amp;plot=') == 3
    assert MARKUP not in page


def test_a_plot_is_drawn_from_the_figures_and_served_as_an_image(visitor):
    (found,) = comparisons(visitor.studio)
    folder = visitor.studio.workspace.root / "comparisons" / "first"
    name = next(iter(found["plots"]))
    (folder / name).write_text("<svg onload='alert(1)'/>")
    answer = visitor.get("/evidence/plot", params={"comparison": "0", "plot": name})
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert "reset" in answer.text
    assert "onload" not in answer.text
    assert MARKUP not in answer.text


@pytest.mark.parametrize(("number", "name"), [("0", "../compare.json"), ("9", "gaps"), ("x", "gaps"), ("1", "gaps")])
def test_another_plot_is_refused(visitor, number, name):
    answer = visitor.get("/evidence/plot", params={"comparison": number, "plot": name})
    assert answer.status_code == 422
    assert "no such plot" in answer.text


def test_a_comparison_that_was_written_again_is_drawn_again(visitor):
    (found,) = comparisons(visitor.studio)
    name = next(iter(found["plots"]))
    first = comparison_plot(visitor.studio, "0", name)
    path = visitor.studio.workspace.root / "comparisons" / "first" / "compare.json"
    path.write_text(path.read_text().replace('"reset"', '"another"'), encoding="utf-8")
    assert "another" in comparison_plot(visitor.studio, "0", name) != first
