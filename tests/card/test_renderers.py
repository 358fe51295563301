from __future__ import annotations

import json

from card_example import build

from monai_unlearn.card import RENDERERS, to_markdown

COUNTS = {"forget": 90, "remain": 90}
DIFF = build(original=COUNTS, revised=COUNTS)


def test_a_run_writes_these_files():
    assert list(RENDERERS) == [
        "model_card_diff.json",
        "model_card_diff.md",
        "model_card_diff.html",
        "model_card_diff.xml",
        "model_card_diff.yaml",
        "model_card_diff.txt",
    ]
    assert RENDERERS["model_card_diff.md"](DIFF) == to_markdown(DIFF)


def test_each_has_one_suffix_and_the_name_of_all():
    assert {name.partition(".")[0] for name in RENDERERS} == {"model_card_diff"}
    assert all(name.count(".") == 1 for name in RENDERERS)


def test_json_is_the_whole_difference():
    text = RENDERERS["model_card_diff.json"]({**DIFF, "ä": 1})
    assert json.loads(text) == {**DIFF, "ä": 1}
    assert "ä" in text
    assert text.endswith("}\n")


def test_a_rendering_follows_from_the_difference_alone():
    for render in RENDERERS.values():
        assert render(DIFF) == render(json.loads(json.dumps(DIFF)))
