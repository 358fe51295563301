from __future__ import annotations

import asyncio

import pytest
from studio_client import ORIGIN, Visitor

from monai_unlearn.studio.guard import HEADERS, MAX_BODY, Guard
from monai_unlearn.studio.session import Session


@pytest.fixture(scope="module")
def visitor(tmp_path_factory):
    return Visitor(work=tmp_path_factory.mktemp("guard") / "work")


PAGES = ("/", "/cohort", "/static/studio.js", "/static/card.css", "/nothing")


@pytest.mark.parametrize("path", PAGES)
def test_who_has_no_cookie_sees_nothing(visitor, path):
    answer = visitor.stranger().get(path)
    assert answer.status_code == 403
    assert "link" in answer.text
    assert visitor.studio.session.form not in answer.text


def test_the_link_gives_a_strict_cookie_and_hides_the_token(visitor):
    answer = visitor.stranger().get(f"/?token={visitor.studio.session.token}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert visitor.studio.session.token.lower() not in cookie


@pytest.mark.parametrize("token", ["", "made-up", "' or 1=1"])
def test_another_token_gives_none(visitor, token):
    answer = visitor.stranger().get("/", params={"token": token})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_the_token_is_no_cookie_and_the_cookie_no_token(visitor):
    session = visitor.studio.session
    stranger = visitor.stranger()
    assert stranger.get("/cohort", headers={"cookie": f"monai_unlearn_studio_8477={session.token}"}).status_code == 403
    assert stranger.get(f"/?token={session.cookie}").status_code == 403


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_has_the_headers(visitor, path):
    for client in (visitor.client, visitor.stranger()):
        answer = client.get(path)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert HEADERS["content-security-policy"].startswith("default-src 'self';")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8477", "127.0.0.1", "127.0.0.1:80", ""])
def test_a_name_that_leads_here_by_a_trick_is_refused(visitor, host):
    assert visitor.get("/cohort", headers={"host": host}).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8478"},
        {"origin": ORIGIN, "sec-fetch-site": "cross-site"},
        {"origin": ORIGIN, "sec-fetch-site": "same-site"},
    ],
)
def test_a_form_of_another_site_is_refused(visitor, headers):
    answer = visitor.post("/cohort/preview", {"text": "x"}, headers=headers)
    assert answer.status_code == 403


def test_a_form_without_an_origin_is_refused(visitor):
    data = {"form_token": visitor.studio.session.form, "text": "x"}
    assert visitor.client.post("/cohort/preview", data=data).status_code == 403


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options"])
def test_other_methods_are_refused(visitor, method):
    assert getattr(visitor.client, method)("/cohort", headers={"origin": ORIGIN}).status_code == 405


def test_a_large_body_is_not_read_whatever_it_says_of_its_length(visitor):
    large = b"x" * (MAX_BODY + 1)

    def drip():
        for _ in range(40):
            yield large[: MAX_BODY // 20]

    for content in (large, drip()):
        headers = {"origin": ORIGIN, "content-type": "application/x-www-form-urlencoded"}
        answer = visitor.client.post("/cohort/preview", content=content, headers=headers)
        assert answer.status_code == 413, answer.text
    headers = {"origin": ORIGIN, "content-length": "-1"}
    assert visitor.client.post("/cohort/preview", content=b"", headers=headers).status_code in {400, 413}


def test_a_web_socket_is_not_answered():
    async def reached(*_):
        raise AssertionError

    guard = Guard(reached, session=Session(), origins=frozenset([ORIGIN]), fault=None)
    asyncio.run(guard({"type": "websocket"}, reached, reached))
