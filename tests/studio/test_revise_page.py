from __future__ import annotations

import json
import re

import pytest
from studio_client import SECRETS, SPEC, Visitor, studio_index, words

from monai_unlearn.studio import revise_page


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return studio_index(tmp_path_factory.mktemp("revise") / "index").directory


@pytest.fixture
def visitor(index, tmp_path, monkeypatch):
    (tmp_path / "bundle" / "configs").mkdir(parents=True)
    found = Visitor(index=index, work=tmp_path / "work", bundle=tmp_path / "bundle")
    found.post("/cohort/save", {"text": SPEC, "name": "new", "over": ""})
    found.started = []
    monkeypatch.setattr(revise_page.Revisions, "start", lambda _, name, job: found.started.append((name, job)))
    return found


def start(visitor, **fields):
    digest = visitor.studio.workspace.saved("retire-old").digest
    return visitor.act("/revise/start", {"spec": f"retire-old {digest}", "bundle": "given", **fields})


def test_a_revision_starts_with_what_was_chosen(visitor):
    assert "in percent of what retraining costs" in words(visitor.get("/revise").text)
    answer = start(visitor, method="psg", budget="10", reference="retrain")
    assert answer.headers["location"] == "/revise?run=retire-old"
    ((name, job),) = visitor.started
    assert name == "retire-old"
    assert (job["method"], job["budget"], job["reference"]) == ("psg", "0.1", "retrain")
    assert job["spec"] == str(visitor.studio.workspace.specs.resolve() / "retire-old.yaml")


@pytest.mark.parametrize(
    "fields",
    [
        {"spec": "../x"},
        {"spec": ""},
        {"bundle": "/etc"},
        {"method": "{name: x, _target_: os.system}"},
        {"method": "--help"},
        {"budget": "0"},
        {"budget": "nan"},
        {"budget": "many"},
    ],
)
def test_what_is_no_choice_is_refused(visitor, fields):
    answer = start(visitor, **fields)
    assert answer.status_code == 422
    assert visitor.started == []


def test_another_reference_than_offered_is_not_passed_on(visitor):
    start(visitor, reference="/etc/passwd")
    assert "reference" not in visitor.started[0][1]


@pytest.mark.parametrize(
    ("given", "said"), [({}, "--index DIR"), ({"index": True}, "--bundle DIR"), ({"bundle": True}, "--index DIR")]
)
def test_the_page_says_what_is_missing(index, tmp_path, given, said):
    settings = {name: index if name == "index" else tmp_path for name in given}
    assert said in Visitor(work=tmp_path / "work", **settings).get("/revise").text


def planted(visitor, code):
    folder = visitor.studio.workspace.runs / "mine"
    folder.mkdir()
    (folder / "job.json").write_text("{}")
    (folder / "log.txt").write_text("first\n<b>last\x1b[31m\n")
    (folder / "done.json").write_text(json.dumps({"exit_code": code}))


def test_progress_comes_as_events_until_it_ends(visitor):
    planted(visitor, 130)
    answer = visitor.get("/revise/events?run=mine")
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = json.loads(answer.text.removeprefix("data: "))
    assert (told["state"], told["ended"]) == ("stopped", True)
    assert "\x1b" not in told["log"]
    page = visitor.get("/revise?run=mine").text
    assert "&lt;b&gt;last" in page
    assert "Resume" in page
    assert visitor.get("/revise/events?run=../x").status_code == 422


def test_why_a_revision_was_refused_is_said_above_the_log(visitor):
    planted(visitor, 2)
    assert 'role="alert">&lt;b&gt;last' in visitor.get("/revise?run=mine").text


def test_a_finished_one_leads_to_its_evidence(visitor):
    planted(visitor, 3)
    assert 'href="/evidence?bundle=mine%2C%20rejected"' in visitor.get("/revise?run=mine").text
    assert visitor.act("/revise/resume", {"name": "mine"}).status_code == 422
    assert visitor.act("/revise/cancel", {"name": "mine"}).status_code == 422
    assert visitor.act("/revise/delete", {"name": "mine"}).status_code == 422


def test_the_log_is_shown_without_identifiers(visitor):
    planted(visitor, 2)
    (visitor.studio.workspace.runs / "mine" / "log.txt").write_text(
        "reading /archive/SECRET-PATH-1.png\nError: image SECRET-IMAGE-2: cannot be decoded.\n"
    )
    for page in (visitor.get("/revise?run=mine").text, visitor.get("/revise/events?run=mine").text):
        assert "image number 3: cannot be decoded." in page
        assert not any(secret in page for secret in SECRETS)


def test_a_spec_that_was_saved_again_is_not_the_one_that_was_chosen(visitor):
    page = visitor.get("/revise").text
    chosen = re.search(r'<option value="(retire-old [^"]+)"', page)[1]
    visitor.studio.workspace.save(SPEC.replace("Old", "New"), over=chosen.split()[1])
    answer = start(visitor, spec=chosen)
    assert answer.status_code == 409
    assert "was saved again since this page was opened" in words(answer.text)
    assert visitor.started == []
    assert start(visitor, spec="retire-old").status_code == 409
