from __future__ import annotations

import pytest
from studio_client import Visitor, words

from monai_unlearn.studio import cohort_page
from monai_unlearn.studio.guard import HEADERS


@pytest.fixture(scope="module")
def visitor(tmp_path_factory):
    return Visitor(work=tmp_path_factory.mktemp("app") / "work")


def test_the_first_page_leads_to_the_cohort(visitor):
    assert visitor.get("/").headers["location"] == "/cohort"


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/static/",
    ],
)
def test_what_is_not_there_has_a_page_that_says_so(visitor, path):
    answer = visitor.get(path)
    assert answer.status_code in {404, 405}
    assert "There is no such page here." in words(answer.text)
    assert "import" not in answer.text


def test_a_refusal_is_what_the_command_would_say(visitor):
    answer = visitor.get("/cohort", params={"spec": "../../etc/passwd"})
    assert answer.status_code == 422
    assert "expected a name of letters" in words(answer.text)


def test_nothing_of_an_unexpected_fault_is_shown(visitor, monkeypatch, capsys):
    def fail(*_):
        raise RuntimeError("SECRET")

    monkeypatch.setattr(cohort_page, "complete", fail)
    # Nothing reaches the server either, which would print a traceback.
    monkeypatch.setattr(visitor.client._transport, "raise_server_exceptions", True)
    answer = visitor.post("/cohort/suggest", {"text": "", "cursor": "0"})
    assert answer.status_code == 500
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "Something unexpected" in answer.text
    said = capsys.readouterr()
    assert "SECRET" not in answer.text + said.out + said.err
    assert "RuntimeError" in said.err


def test_static_files_and_the_style_are_served(visitor):
    for name, kind in {"studio.js": "javascript", "studio.css": "css", "card.css": "css", "icon.svg": "svg"}.items():
        answer = visitor.get(f"/static/{name}")
        assert answer.status_code == 200
        assert kind in answer.headers["content-type"]
