from __future__ import annotations

import copy

from card_example import rich

from monai_unlearn.card.html import to_html
from monai_unlearn.card.html.sections.patients import view

DIFF = rich()


def rows(table):
    return {tuple(cell.text for cell in row[:2]): row for row in table.rows}


def test_sensitivity_specificity_and_false_negatives_by_class():
    found = rows(view(DIFF)["table"])
    assert {("Sensitivity", "b"), ("Specificity", "a"), ("False negatives", "b")} <= set(found)
    row = found["False negatives", "b"]
    assert row[4].text.startswith("12.0 % (")
    assert row[4].key == "/models/revised/remain/test/classes/b/false_negatives/value"


def test_without_a_healthy_class_accuracy_stands_in():
    diff = copy.deepcopy(DIFF)
    diff["metrics"] = [row for row in diff["metrics"] if row["metric"] in ("accuracy", "log_loss")]
    assert {measure for measure, _ in rows(view(diff)["table"])} == {"Accuracy"}


def test_the_confusion_is_shaded_by_its_change():
    found = view(DIFF)["confusion"]
    assert [cell.text for cell in found.rows[0]] == ["a (50)", "-2.0", "+2.0"]
    assert [cell.shade for cell in found.rows[0][1:]] == [0, 0]
    diff = copy.deepcopy(DIFF)
    diff["confusion"]["change"]["remain"]["test"]["shares"] = [[-0.5, 0.1], None]
    assert [[cell.shade for cell in row[1:]] for row in view(diff)["confusion"].rows] == [[-4, 2]]
    assert view({**DIFF, "confusion": {"networks": {}, "change": {}}})["confusion"] is None


def test_subgroups_are_plotted_and_tabled():
    found = view(DIFF)
    assert "sex F, 30 patients: original 80 %, revised 80 % (70 to 90), retrained 80 to 80 %." in found["forest"]
    assert [row[0].text for row in found["subgroups"].rows][-2:] == ["site 1", "site 2"]
    assert ">50 %</text>" in found["forest"]
    page = to_html(DIFF)
    assert "fewer than ten patients: 1 by age band." in page
    assert "not finite" not in page


def test_outputs_that_are_not_finite_are_told_apart_from_small_subgroups():
    page = to_html({**DIFF, "subgroups": {**DIFF["subgroups"], "left_out": {}, "not_finite": {"sex": 1}}})
    assert "fewer than ten patients" not in page
    assert "are not finite numbers: 1 by sex." in page
    assert "1 subgroup has outputs of a model that are not finite numbers" in page


def test_without_subgroups_the_page_says_so():
    assert "has no sex, age, device or site" in to_html(
        {**DIFF, "subgroups": {"rows": [], "left_out": {}, "not_finite": {}}}
    )


def test_without_such_images_the_page_says_so():
    diff = {**DIFF, "metrics": [row for row in DIFF["metrics"] if row["part"] == "forget"]}
    assert view(diff)["plot"] is None
    assert "There are no such images." in to_html(diff)
