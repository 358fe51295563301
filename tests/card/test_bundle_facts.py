from __future__ import annotations

from monai_unlearn.card.bundle_facts import TEXTS, bundle_facts


def test_texts_of_the_metadata_and_nothing_else():
    facts = bundle_facts({"authors": "Us", "task": " ", "intended_use": 3, "version": "1", "references": ["a", "b"]})
    assert set(facts) == {*TEXTS, "references"}
    assert (facts["authors"], facts["task"], facts["intended_use"], facts["references"]) == (
        "Us",
        None,
        None,
        ["a", "b"],
    )


def test_references_that_are_no_list_are_none():
    assert bundle_facts({"references": "a"})["references"] == []
