from __future__ import annotations

import json

from card_example import CLOSE, FULL, NETWORKS, build, rich

from monai_unlearn.studio.evidence_view import attack, confusions, history_table

RICH, BARE = rich(), build(original=FULL, revised=CLOSE)


def texts(table):
    return [[cell.text for cell in row] for row in table.rows]


def test_confusion_is_shown_before_and_after_and_by_retrained_networks_where_the_evidence_lies_beside(tmp_path):
    found = confusions(RICH, tmp_path / "revised_bundle")
    assert [one.caption for one in found[0]][:2] == [
        "original: forgotten images, train",
        "revised: forgotten images, train",
    ]
    assert texts(found[0][0]) == [["a (50)", "45", "5"], ["b (50)", "5", "45"]]
    networks = dict(RICH["confusion"]["networks"])
    evidence = {"confusion": {"networks": {**networks, "reference": networks["original"]}}}
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "metrics.json").write_text(json.dumps(evidence), encoding="utf-8")
    captions = [one.caption for one in confusions(RICH, tmp_path / "revised_bundle")[0]]
    assert "retrained: forgotten images, train" in captions


def test_a_threshold_has_what_it_catches_of_every_network():
    found = attack(RICH)
    assert json.loads(found["rates"]) == [0.0, 0.5, 1.0]
    assert found["steps"] == 2
    assert len(found["curves"]) == len(NETWORKS)
    assert json.loads(dict(found["curves"])["original"]) == [0.0, 0.6, 1.0]


def test_a_card_without_audits_has_none():
    assert attack(BARE) is None


def test_history_is_a_row_a_revision():
    (entry,) = RICH["earlier"]
    assert texts(history_table({"revisions": [entry]})) == [
        ["0.9.0 → 1.0.0", "2025-01-02", "gone", "other", "7 images", "5 patients", "equivalent"]
    ]
