from __future__ import annotations

import pytest
from demo_example import write_demo
from studio_client import Visitor, words

from monai_unlearn.studio.demo.people import ADA, GRACE


@pytest.fixture(scope="module")
def visitor(tmp_path_factory):
    demo = write_demo(tmp_path_factory.mktemp("page") / "demo")
    return Visitor(demo=demo, index=demo.index, bundle=demo.bundle, store=demo.store, work=demo.work)


def test_the_demo_begins_with_its_page(visitor):
    assert visitor.get("/").headers["location"] == "/demo"
    page = words(visitor.get("/demo").text)
    assert "A camera was retired: make the model forget it" in page
    assert ADA.name in page
    assert GRACE.name in page
    assert "Begin: look at whom the model must forget" in page


def test_every_page_says_what_comes_next(visitor):
    assert "Demo, step 1 of 6: look at whom the model must forget." in words(visitor.get("/cohort").text)
    assert "Go there" in visitor.get("/release").text


def test_the_spec_of_the_camera_is_saved_and_fits(visitor):
    page = visitor.get("/cohort?spec=retire-cirrus-02").text
    assert "forget: station == CIRRUS-02" in page


def test_a_studio_on_own_folders_has_none_of_it(tmp_path):
    visitor = Visitor(work=tmp_path / "work")
    assert visitor.get("/").headers["location"] == "/cohort"
    assert visitor.get("/demo").status_code == 404
    assert "Demo, step" not in visitor.get("/cohort").text
