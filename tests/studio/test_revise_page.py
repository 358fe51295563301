from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from filelock import FileLock
from protocol_example import content
from studio_client import SECRETS, SPEC, Visitor, studio_index, words

from monai_unlearn.studio import asked_revision, revise_page
from monai_unlearn.studio.revisions import State


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return studio_index(tmp_path_factory.mktemp("revise") / "index").directory


@pytest.fixture
def visitor(index, tmp_path, monkeypatch):
    (tmp_path / "bundle" / "configs").mkdir(parents=True)
    found = Visitor(index=index, work=tmp_path / "work", bundle=tmp_path / "bundle")
    found.post("/cohort/save", {"text": SPEC, "name": "new", "over": ""})
    found.started = []
    monkeypatch.setattr(
        revise_page.Revisions, "start", lambda _, name, job, files: found.started.append((name, job, files))
    )
    return found


FOUND = {
    "images": {"forget": 40, "remain": 400},
    "steps": 75,
    "gradient_evaluations": {"unlearning": 2400, "references": 72000, "total": 74400},
    "seconds": {"unlearning": 60.0, "references": 1800.0, "total": 1860.0},
    "share_of_retraining": 0.1,
    "networks_to_retrain": 3,
}
PROTOCOL = yaml.safe_dump(content())


def start(visitor, act="start", protocol=None, **fields):
    digest = visitor.studio.workspace.saved("retire-old").digest
    files = {} if protocol is None else {"files": {"protocol": ("x.yaml", protocol.encode())}}
    given = {"spec": f"retire-old {digest}", "bundle": "given", "who": "Ada", **fields}
    return visitor.act(f"/revise/{act}", given, **files)


def test_a_revision_starts_with_what_was_chosen(visitor):
    assert "in percent of what retraining costs" in words(visitor.get("/revise").text)
    answer = start(visitor, method="psg", budget="10", reference="retrain")
    assert answer.headers["location"] == "/revise?run=retire-old"
    ((name, job, files),) = visitor.started
    assert (name, job["who"], files) == ("retire-old", "Ada", {})
    assert (job["method"], job["budget"], job["reference"]) == ("psg", "0.1", "retrain")
    assert job["spec"] == str(visitor.studio.workspace.specs.resolve() / "retire-old.yaml")


@pytest.mark.parametrize(
    "fields",
    [
        {"spec": "../x"},
        {"spec": ""},
        {"who": " "},
        {"protocol": "x: 1"},
        {"protocol": "\x00"},
        {"protocol": "!!python/object:os.system [x]"},
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


def test_a_protocol_goes_with_the_revision_and_stands_for_method_and_budget(visitor):
    assert start(visitor, protocol=PROTOCOL).status_code == 303
    ((_, job, files),) = visitor.started
    assert files == {"protocol.yaml": PROTOCOL}
    assert not {"method", "budget", "reference"} & job.keys()
    refused = start(visitor, protocol=PROTOCOL, budget="10")
    assert refused.status_code == 422
    assert "leave budget as the form had it" in words(refused.text)


def test_what_it_will_cost_is_shown_before_the_start(visitor, monkeypatch):
    asked = []

    def estimate(bundle, settings):
        asked.append((bundle, settings, Path(settings["protocol"]).read_text() if "protocol" in settings else None))
        return FOUND

    monkeypatch.setattr(asked_revision, "estimate", estimate)
    page = words(start(visitor, "estimate", budget="10", reference="retrain").text)
    assert "75 steps, 2,400 gradients of single images: 10.0 % of retraining once. About 1 minute" in page
    assert "3 networks retrained without the cohort" in page
    start(visitor, "estimate", protocol=PROTOCOL)
    (_, first, _), (_, second, text) = asked
    assert (first["budget"], first["reference"]) == ("0.1", "retrain")
    assert first["cohort_spec"].endswith("retire-old.yaml")
    assert {"index_dir", "cohort_spec", "protocol"} == set(second)
    assert text == PROTOCOL
    assert not Path(second["protocol"]).exists()
    assert visitor.started == []


def test_one_estimate_is_made_at_a_time(visitor):
    with FileLock(visitor.studio.workspace.runs / ".estimating"):
        answer = start(visitor, "estimate")
    assert answer.status_code == 422
    assert "another estimate is being made" in answer.text


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


def test_progress_is_a_bar_with_words(visitor, monkeypatch):
    planted(visitor, 130)
    folder = visitor.studio.workspace.runs / "mine"
    (folder / "log.txt").write_text("Unlearning: step 3/10, forget, loss 0.2, 0:00:07 left\n")
    monkeypatch.setattr(revise_page.Revisions, "state", lambda *_: State.RUNNING)
    page = visitor.get("/revise?run=mine").text
    assert '<progress id="progress" max="10" value="3">' in page
    assert "Unlearning: step 3 of 10, forget, loss 0.2, 0:00:07 left" in page
    (folder / "log.txt").write_text("Reading images\n")
    assert '<progress id="progress">' in visitor.get("/revise?run=mine").text


def test_a_killed_one_says_so_and_can_be_resumed(visitor):
    planted(visitor, -9)
    page = words(visitor.get("/revise?run=mine").text)
    assert "It is: killed" in page
    assert "something killed it" in page
    assert "Resume" in page
    assert json.loads(visitor.get("/revise/events?run=mine").text.removeprefix("data: "))["ended"]


def test_who_revises_is_shown(visitor):
    planted(visitor, 0)
    (visitor.studio.workspace.runs / "mine" / "job.json").write_text('{"who": "Ada <b>"}')
    assert "Revised by Ada &lt;b&gt;." in visitor.get("/revise?run=mine").text
