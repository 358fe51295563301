from __future__ import annotations

import re
from html import unescape

import pytest
from studio_client import MARKUP, SECRETS, SPEC, Visitor, studio_index, words

from monai_unlearn.studio.workspace import Workspace

OTHER = SPEC.replace("Old", "New")


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return studio_index(tmp_path_factory.mktemp("page") / "index").directory


@pytest.fixture
def visitor(index, tmp_path):
    return Visitor(index=index, work=tmp_path / "work")


def editor(page):
    return unescape(re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)[1])


def freeze(visitor, **fields):
    over = visitor.studio.workspace.saved("retire-old").digest
    return visitor.act("/cohort/freeze", {"name": "retire-old", "over": over, **fields})


def test_devices_are_offered_and_one_writes_its_spec(visitor):
    page = visitor.get("/cohort").text
    assert "Old (4 images)" in page
    started = editor(visitor.get("/cohort", params={"device": "Old"}).text)
    assert "forget: device == Old" in started
    assert "4 images of 2 patients" in visitor.post("/cohort/preview", {"text": started, "name": "new"}).text


def test_a_preview_has_the_sentence_the_parts_the_funnel_and_the_classes(visitor):
    page = words(visitor.post("/cohort/preview", {"text": SPEC, "name": "new"}).text)
    for said in (
        "device is “Old”",
        "4 images of 2 patients would be forgotten",
        "How many images are left after each rule",
    ):
        assert said in page
    assert "glaucoma 2 3 0" in page


def test_what_is_undetermined_is_said_once_with_its_reasons(visitor):
    page = words(visitor.post("/cohort/preview", {"text": SPEC, "name": "new"}).text)
    assert page.count("1 image is undetermined and used for neither part.") == 1
    assert "Undetermined, and why 1 image is undetermined and used for neither part. device" in page
    every = SPEC.replace("device == Old", "diagnosis == normal")
    page = words(visitor.post("/cohort/preview", {"text": every, "name": "new"}).text)
    assert "No image is undetermined." in page
    assert "Images by class and part class forgotten kept " in page
    assert "forgotten kept undetermined" not in page


def test_faults_stand_under_their_line_and_the_last_preview_stays(visitor):
    answer = visitor.post("/cohort/preview", {"text": f"{SPEC}foo: 1\n", "name": "new"})
    assert 'data-line="5"' in answer.text
    assert "^^^" in answer.text
    assert answer.headers["hx-reswap"] == "none"


def type_on(visitor, page, text):
    """Type on a page that was opened."""
    visitor.post("/cohort/preview", {**hidden(page), "text": text, "typed": "yes"})


def hidden(page):
    form = page[page.index('id="spec-form"') :]
    return {
        name: re.search(f'name="{name}"[^>]* value="([^"]*)"', form)[1] for name in ("name", "over", "draft", "origin")
    }


def test_what_is_typed_is_kept_when_the_browser_closes(visitor):
    type_on(visitor, visitor.get("/cohort").text, "forget: (")
    page = visitor.get("/cohort").text
    assert editor(page) == "forget: ("
    assert "Not saved since it was typed." in page
    visitor.post("/cohort/discard", hidden(page))
    assert "forget: (" not in visitor.get("/cohort").text


def test_opening_a_page_keeps_nothing_over_what_was_typed(visitor):
    type_on(visitor, visitor.get("/cohort").text, "forget: (mine")
    page = visitor.get("/cohort", params={"device": "Old"}).text
    visitor.post("/cohort/preview", {**hidden(page), "text": editor(page), "typed": ""})
    assert editor(visitor.get("/cohort").text) == "forget: (mine"


def test_two_tabs_keep_a_draft_each(visitor):
    first, second = visitor.get("/cohort").text, visitor.get("/cohort").text
    type_on(visitor, first, "forget: (first")
    type_on(visitor, second, "forget: (second")
    page = visitor.get("/cohort").text
    other = unescape(re.search(r'href="([^"]*draft=[^"]*)"', page)[1])
    assert {editor(page), editor(visitor.get(other).text)} == {"forget: (first", "forget: (second"}


def test_undoing_to_what_was_saved_needs_no_draft(visitor):
    visitor.post("/cohort/save", {"text": SPEC, "name": "new", "over": ""})
    page = visitor.get("/cohort?spec=retire-old").text
    type_on(visitor, page, "forget: (")
    assert "Not saved since" in visitor.get("/cohort?spec=retire-old").text
    type_on(visitor, page, SPEC)
    assert visitor.studio.workspace.drafts("retire-old") == []


def test_saving_ends_the_drafts_that_the_page_began_as(visitor):
    type_on(visitor, visitor.get("/cohort").text, "forget: (")
    for number in (2, 3):  # opened again and again
        again = visitor.get("/cohort").text
        type_on(visitor, again, f"{SPEC}# {number}\n")
        assert len(visitor.studio.workspace.drafts("new")) == number
    visitor.post("/cohort/save", {**hidden(again), "text": SPEC})
    assert visitor.studio.workspace.drafts("new") == []


def test_a_saved_spec_may_be_renamed(visitor):
    visitor.post("/cohort/save", {"text": SPEC, "name": "new", "over": ""})
    page = visitor.get("/cohort?spec=retire-old").text
    answer = visitor.post("/cohort/save", {**hidden(page), "text": SPEC.replace("retire-old", "renamed")})
    assert answer.headers["location"] == "/cohort?spec=renamed&done=saved"


def test_a_spec_is_saved_opened_and_frozen(visitor):
    answer = visitor.post("/cohort/save", {"text": SPEC, "name": "new", "over": ""})
    assert answer.headers["location"] == "/cohort?spec=retire-old&done=saved"
    page = visitor.get(answer.headers["location"]).text
    assert "Saved." in page
    assert editor(page) == SPEC
    frozen = freeze(visitor)
    assert frozen.status_code == 303
    (folder,) = visitor.studio.workspace.cohorts.iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["cohort_manifest.json", "cohort_members.parquet"]
    again = freeze(visitor)
    assert again.status_code == 422


def test_what_another_tab_saved_is_not_frozen(visitor):
    visitor.post("/cohort/save", {"text": SPEC, "name": "new", "over": ""})
    over = visitor.studio.workspace.saved("retire-old").digest
    visitor.post("/cohort/save", {"text": OTHER, "name": "retire-old", "over": over})
    assert freeze(visitor, over=over).status_code == 409
    assert list(visitor.studio.workspace.cohorts.iterdir()) == []


def test_previews_that_were_typed_over_are_not_counted(visitor, monkeypatch):
    fields = {"text": SPEC, "name": "new", "draft": "a1", "other": "saved"}
    visitor.post("/cohort/save", {**fields, "over": ""})
    # While one waits for its turn, a later one comes.
    parse = Workspace.parse
    for what in ("preview", "diff"):

        def late(workspace, text, what=what):
            visitor.studio.turns.take(f"a1 {what}")
            return parse(workspace, text)

        monkeypatch.setattr(Workspace, "parse", late)
        assert visitor.post(f"/cohort/{what}", {**fields, "name": "retire-old"}).status_code == 204
        monkeypatch.setattr(Workspace, "parse", parse)
        assert visitor.post(f"/cohort/{what}", {**fields, "name": "retire-old"}).status_code == 200


def test_a_faulty_spec_is_not_saved_and_its_text_stays(visitor):
    answer = visitor.post("/cohort/save", {"text": "name: x", "name": "new", "over": ""})
    assert answer.status_code == 422
    assert editor(answer.text) == "name: x"
    assert "Not saved" in answer.text


def test_two_tabs_do_not_overwrite_each_other(visitor):
    visitor.post("/cohort/save", {"text": SPEC, "name": "new", "over": ""})
    over = visitor.studio.workspace.saved("retire-old").digest
    visitor.post("/cohort/save", {"text": OTHER, "name": "retire-old", "over": over})
    late = visitor.post("/cohort/save", {"text": f"{SPEC}# mine\n", "name": "retire-old", "over": over})
    assert late.status_code == 409
    assert editor(late.text) == f"{SPEC}# mine\n"
    assert visitor.studio.workspace.saved("retire-old").text == OTHER
    # The page now knows what it would replace: saving once more is meant.
    now = re.search(r'name="over" value="([^"]+)"', late.text)[1]
    assert visitor.post("/cohort/save", {"text": SPEC, "name": "retire-old", "over": now}).status_code == 303


def test_a_refused_cohort_is_not_frozen(visitor):
    visitor.post("/cohort/save", {"text": SPEC.replace("Old", "Older"), "name": "new", "over": ""})
    answer = freeze(visitor)
    assert answer.status_code == 422
    assert "is empty" in answer.text
    assert list(visitor.studio.workspace.cohorts.iterdir()) == []


def test_a_spec_is_compared_with_what_was_saved_and_with_a_frozen_cohort(visitor):
    fields = {"text": OTHER, "name": "retire-old"}
    assert "not saved yet" in visitor.post("/cohort/diff", {**fields, "other": "saved"}).text
    visitor.post("/cohort/save", {"text": SPEC, "name": "new", "over": ""})
    freeze(visitor)
    (folder,) = visitor.studio.workspace.cohorts.iterdir()
    for other in ("saved", "retire-old", f"{folder.name}/"):
        page = words(visitor.post("/cohort/diff", {**fields, "other": other}).text)
        assert "10 images of 5 patients change their part." in page, other
    assert "Correct the spec first." in visitor.post("/cohort/diff", {**fields, "text": "x", "other": "saved"}).text
    elsewhere = visitor.post("/cohort/diff", {**fields, "other": "../../etc/"})
    assert elsewhere.status_code == 422


def test_suggestions_have_values_with_counts_of_fields_that_identify_nobody(visitor):
    text = SPEC.replace("Old\n", "")
    page = visitor.post("/cohort/suggest", {"text": text, "cursor": str(len(text))}).text
    assert "6 images" in page
    text = "forget: OperatorsName == "
    page = visitor.post("/cohort/suggest", {"text": text, "cursor": "x"}).text
    assert "SECRET" not in page


def test_a_file_becomes_text_in_the_editor_and_nothing_else(visitor):
    before = sorted(visitor.studio.workspace.root.rglob("*"))
    answer = visitor.post("/cohort/upload", files={"file": ("../../x<script>.yaml", b"!!python/object:os.system [x]")})
    assert editor(answer.text) == "!!python/object:os.system [x]"
    assert "x<script>" not in answer.text
    assert sorted(visitor.studio.workspace.root.rglob("*")) == before
    assert "no file was chosen" in visitor.post("/cohort/upload").text


def test_no_page_shows_whose_an_image_is_and_names_cannot_become_markup(visitor):
    visitor.post("/cohort/save", {"text": SPEC, "name": "new", "over": ""})
    freeze(visitor)
    fields = {"text": SPEC.replace("Old", "New"), "name": "retire-old", "other": "saved", "cursor": "83"}
    pages = [visitor.get("/cohort").text, visitor.get("/cohort?spec=retire-old").text]
    pages += [visitor.post(f"/cohort/{name}", fields).text for name in ("preview", "suggest", "diff")]
    assert any("&lt;script&gt;" in page for page in pages)
    for page in pages:
        assert MARKUP not in page
        assert "<img" not in page
        assert not any(secret in page for secret in SECRETS)


def test_without_an_index_a_spec_can_still_be_written(tmp_path):
    visitor = Visitor(work=tmp_path / "work")
    assert "started without an index" in visitor.get("/cohort").text
    assert "--index DIR" in visitor.post("/cohort/preview", {"text": SPEC, "name": "new"}).text
    assert visitor.post("/cohort/save", {"text": SPEC, "name": "new", "over": ""}).status_code == 303
