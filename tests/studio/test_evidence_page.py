from __future__ import annotations

import json

import pytest
from release_example import write_release
from studio_client import MARKUP, Visitor, words


@pytest.fixture(scope="module")
def visitor(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evidence")
    return Visitor(work=folder / "work", bundle=write_release(folder / "bundle"))


def test_the_card_is_shown_with_what_it_rests_on(visitor):
    page = visitor.get("/evidence").text
    for said in ("What to do", "Did it forget?", "Confusion matrices: before, after, retrained", "Earlier revisions"):
        assert said in words(page)
    assert "<style" not in page
    assert " style=" not in page


def test_a_bundle_that_was_never_revised_has_no_evidence(tmp_path):
    (tmp_path / "bundle" / "configs").mkdir(parents=True)
    (tmp_path / "bundle" / "configs" / "metadata.json").write_text('{"name": "Some", "version": "1.0.0"}')
    page = Visitor(work=tmp_path / "work", bundle=tmp_path / "bundle").get("/evidence").text
    assert "Some 1.0.0 was never revised" in words(page)


def test_without_a_bundle_the_page_says_what_to_do(tmp_path):
    assert "--bundle DIR" in Visitor(work=tmp_path / "work").get("/evidence").text


@pytest.mark.parametrize("name", ["../..", "/etc", "nothing"])
def test_another_place_is_not_shown(visitor, name):
    answer = visitor.get("/evidence", params={"bundle": name})
    assert answer.status_code == 422
    assert "no such bundle" in answer.text


def test_names_of_a_hostile_bundle_are_text(visitor, tmp_path):
    bundle = write_release(tmp_path / "bundle")
    path = bundle / "docs" / "model_card_diff.json"
    card = json.loads(path.read_text())
    card["class_names"] = [MARKUP, "b"]
    card["modification"]["cohort"]["name"] = card["warnings"] = MARKUP
    path.write_text(json.dumps(card))
    page = Visitor(work=tmp_path / "work", bundle=bundle).get("/evidence").text
    assert "&lt;script&gt;" in page
    assert MARKUP not in page
    assert "<img" not in page


@pytest.mark.parametrize("content", ["{}", "[]", '{"schema_version": 1, "confusion": 3}', "x"])
def test_a_card_that_is_none_is_refused(tmp_path, content):
    bundle = write_release(tmp_path / "bundle")
    (bundle / "docs" / "model_card_diff.json").write_text(content)
    answer = Visitor(work=tmp_path / "work", bundle=bundle).get("/evidence")
    assert answer.status_code == 422
    assert "unexpected" not in answer.text.lower()
