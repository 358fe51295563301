from __future__ import annotations

import re

import pytest
from demo_example import write_demo
from starlette.testclient import TestClient

from monai_unlearn.studio.demo.public import FRAMED_BY, PublicDemo
from monai_unlearn.studio.demo.start import demo_settings
from monai_unlearn.studio.demo.visitors import FullError, Visitors
from monai_unlearn.studio.settings import Settings

ORIGIN = "https://someone-studio.hf.space"


@pytest.fixture(scope="module")
def visitors(tmp_path_factory):
    demo = write_demo(tmp_path_factory.mktemp("public") / "demo")
    found = Visitors(demo_settings(Settings(demo=demo, behind_proxy=ORIGIN), demo))
    yield found
    found.delete()


@pytest.fixture(scope="module")
def app(visitors):
    return PublicDemo(visitors, ORIGIN)


@pytest.fixture
def browser(app):
    return TestClient(app, base_url=ORIGIN, follow_redirects=True)


def form_token(page):
    return re.search(r'x-form-token": "([^"]+)"', page)[1]


def test_nobody_needs_a_link_and_the_cookie_is_kept_apart_by_the_site_around(browser):
    answer = browser.get("/")
    assert answer.status_code == 200
    assert "A camera was retired" in answer.text
    cookie = answer.history[0].headers["set-cookie"]
    for word in ("Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/"):
        assert f"; {word}" in cookie
    assert "Domain" not in cookie


def test_only_the_host_of_spaces_may_show_it_within_its_pages(browser):
    for answer in (browser.get("/"), browser.get("/static/studio.js")):
        assert f"frame-ancestors {FRAMED_BY}" in answer.headers["content-security-policy"]
        assert answer.headers["content-security-policy"].startswith("default-src 'self';")
        assert "x-frame-options" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"


def test_a_browser_without_cookies_is_told_and_not_sent_in_circles(app):
    stranger = TestClient(app, base_url=ORIGIN, follow_redirects=False)
    answer = stranger.get("/", headers={"cookie": ""})
    assert answer.headers["location"] == "/?asked=1"
    stranger.cookies.clear()
    answer = stranger.get("/?asked=1")
    assert answer.status_code == 403
    assert 'target="_blank"' in answer.text
    assert "set-cookie" not in answer.headers


def test_visitors_do_not_see_each_other(app):
    ada, bob = (TestClient(app, base_url=ORIGIN) for _ in range(2))
    text = "schema_version: 1\nname: of-ada\nreason: other\nforget: device == Old\n"
    token = form_token(ada.get("/cohort").text)
    saved = ada.post(
        "/cohort/save", data={"form_token": token, "text": text, "name": "new"}, headers={"origin": ORIGIN}
    )
    assert "of-ada" in saved.text
    assert "of-ada" in ada.get("/cohort").text
    other = bob.get("/cohort").text
    assert "of-ada" not in other
    # The token of one visitor's forms is no good with the cookie of another.
    forged = bob.post(
        "/cohort/save", data={"form_token": token, "text": text, "name": "new"}, headers={"origin": ORIGIN}
    )
    assert forged.status_code == 403
    assert "of-ada" not in bob.get("/cohort").text


def test_forms_of_other_sites_and_other_names_are_refused(browser):
    token = form_token(browser.get("/cohort").text)
    data = {"form_token": token, "text": "x"}
    for headers in ({"origin": "https://evil.example"}, {"origin": ORIGIN, "sec-fetch-site": "cross-site"}, {}):
        assert browser.post("/cohort/preview", data=data, headers=headers).status_code == 403
    assert browser.get("/", headers={"host": "evil.example"}).status_code == 421
    stranger = {"cookie": "", "origin": ORIGIN}
    assert browser.post("/cohort/preview", data=data, headers=stranger).status_code == 403


def test_an_uploaded_spec_is_shown_and_not_kept(browser, visitors):
    token = form_token(browser.get("/cohort").text)
    files = {"file": ("a.yaml", b"name: planted-text\n")}
    answer = browser.post("/cohort/upload", data={"form_token": token}, files=files, headers={"origin": ORIGIN})
    assert "planted-text" in answer.text
    found = visitors.settings.demo.root.rglob("*")
    assert not any(b"planted-text" in path.read_bytes() for path in found if path.is_file())


def test_revisions_run_one_at_a_time_for_all(browser, visitors, monkeypatch):
    browser.get("/")
    monkeypatch.setattr(Visitors, "is_another_busy", lambda *_: True)
    answer = browser.post("/revise/start", data={}, headers={"origin": ORIGIN})
    assert answer.status_code == 409
    assert "another visitor" in answer.text
    monkeypatch.setattr(Visitors, "is_another_busy", lambda *_: False)
    assert browser.post("/revise/start", data={}, headers={"origin": ORIGIN}).status_code == 403  # reaches the form


def test_when_many_are_here_that_is_said(browser, monkeypatch):
    browser.get("/")

    def full(*_):
        raise FullError("Come back later.")

    monkeypatch.setattr(Visitors, "visitor", full)
    answer = browser.get("/demo")
    assert (answer.status_code, answer.text) == (503, "Come back later.\n")
