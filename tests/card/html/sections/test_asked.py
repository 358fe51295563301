from __future__ import annotations

from card_example import rich

from monai_unlearn.card.html import to_html
from monai_unlearn.card.html.sections.asked import IN_BOTH, view


def test_attrition_and_parts_are_tables_of_counts():
    found = view(rich())
    assert [cell.text for cell in found["table"].rows[1]][1:] == ["31", "10", "31", "10", "1"]
    assert found["table"].rows[1][2].key == "/modification/cohort/attrition/1/images_out"
    assert [row[1].text for row in found["parts"].rows] == ["10", "20", "1"]


def test_patients_in_both_parts_weigh_by_the_reason():
    diff = rich()
    assert view(diff)["in_both"] == IN_BOTH["device_deprecation"]
    diff["modification"]["reason"] = "consent_withdrawal"
    assert "this disqualifies" in to_html(diff)
    diff["modification"]["reason"] = "policy_change"
    assert "disqualifies" not in to_html(diff)
    diff["modification"]["cohort"]["patients_in_both"] = 0
    assert "No patient has images among the forgotten and among the others." in to_html(diff)


def test_listed_values_are_counted_and_doubtful_images_too():
    entry = {"list": "[… 3 values]", "field": "patient", "values": 3, "matched": 2, "absent": 1, "near": {"case": 0}}
    spelled = {"field": "device", "value": "Bio|graph64", "spellings": 1, "images": 589}
    spelled["not_caught"] = {"spellings": 1, "images": 589}
    doubtful = {"images": 3, "assumed": False, "why": "Nobody asks."}
    page = to_html(rich(value_lists=[entry], variants=[spelled], doubtful_training=doubtful))
    assert "<li>2 of 3 values of [… 3 values] (patient) occur in the index; 1 is known to be absent.</li>" in page
    assert "has 1 other spelling, in 589 images; it is not taken as equal." in page
    assert "3 images. Why they are left out: Nobody asks." in page


def test_a_rule_of_several_parts_is_a_list():
    part = {"text": "age is at least 60", "parts": []}
    asked = {"forget": {"text": "all of these hold:", "parts": [part, part]}, "population": part}
    page = to_html(rich(asked=asked))
    assert page.count('<ul class="tree">') == 2
    assert "Only these images count at all" in page
