from __future__ import annotations

import pytest
from studio_client import SPEC, Visitor

from monai_unlearn.errors import InputError
from monai_unlearn.studio.app import build_app
from monai_unlearn.studio.forms import MAX_FILE, Form, Upload


@pytest.fixture(scope="module")
def visitor(tmp_path_factory):
    return Visitor(work=tmp_path_factory.mktemp("forms") / "work")


def post_routes(visitor):
    app = build_app(visitor.studio, ["http://127.0.0.1"])
    return [route.path for route in app.routes if "POST" in (getattr(route, "methods", None) or ())]


def test_every_form_needs_the_token(visitor):
    paths = post_routes(visitor)
    assert len(paths) >= 7
    acts = {"/release/{act}": "/release/sign", "/revise/{act}": "/revise/cancel"}
    for path in [acts.get(path, path) for path in paths]:
        for forged in ("", "made up", visitor.studio.session.token):
            answer = visitor.post(path, {"form_token": forged, "text": SPEC, "name": "x"})
            assert answer.status_code == 403, path


def test_a_form_that_acts_is_good_once(visitor):
    visitor.post("/cohort/save", {"text": SPEC, "name": "new", "over": ""})
    ticket = visitor.studio.session.ticket("/cohort/freeze")
    first = visitor.post("/cohort/freeze", {"ticket": ticket, "name": "nothing"})
    assert (first.status_code, "not saved" in first.text) == (422, True)
    again = visitor.post("/cohort/freeze", {"ticket": ticket, "name": "nothing"})
    assert again.status_code == 403
    assert "sent before" in again.text
    assert "sent before" in visitor.post("/cohort/freeze", {"name": "nothing"}).text


def test_a_file_is_bounded(visitor):
    answer = visitor.post("/cohort/upload", files={"file": ("a.yaml", b"x" * (MAX_FILE + 1))})
    assert answer.status_code == 422
    assert "at most 1024 KiB" in answer.text


@pytest.mark.parametrize("count", [10, 200])
def test_the_number_of_files_and_fields_is_bounded(visitor, count):
    files = [(f"file{number}", (f"{number}", b"x")) for number in range(count)]
    assert visitor.post("/cohort/upload", files=files).status_code == 400
    fields = {f"field{number}": "x" for number in range(count * 10)}
    assert visitor.post("/cohort/preview", fields).status_code == 400


def test_a_file_that_is_no_text_is_refused():
    with pytest.raises(InputError, match="expected a text file in UTF-8"):
        Upload(b"\xff\xfe").text()
    assert Upload(b"a\r\nb").text() == "a\nb"


def test_a_missing_field_is_named():
    with pytest.raises(InputError, match="The reason is missing"):
        Form({"why": "  "}, {}).required("why", what="The reason")
    assert Form({"why": " a "}, {}).required("why", what="The reason") == "a"
    assert Form({}, {})["why"] == ""
