from __future__ import annotations

import pytest
from demo_example import write_demo, write_run

from monai_unlearn.release.promote import act_of
from monai_unlearn.release.sign import sign
from monai_unlearn.studio.demo.guide import guide, steps_of
from monai_unlearn.studio.demo.people import ADA
from monai_unlearn.studio.demo.start import demo_settings
from monai_unlearn.studio.settings import Settings
from monai_unlearn.studio.studio import Studio


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return write_demo(tmp_path_factory.mktemp("guide") / "demo")


def opened(demo):
    return Studio(demo_settings(Settings(demo=demo), demo))


def test_there_is_none_outside_of_a_demo_and_on_its_own_page(demo, tmp_path):
    assert guide(Studio(Settings(work=tmp_path)), "/cohort") is None
    assert guide(opened(demo), "/demo") is None


def test_each_step_comes_when_the_one_before_is_done(demo):
    studio = opened(demo)
    assert guide(studio, "/cohort").title == "look at whom the model must forget"
    step = guide(studio, "/cohort")
    assert (step.link, step.link_text) == ("/revise", "Go on: make the model forget them")
    step = guide(studio, "/release")
    assert (step.link, step.link_text) == ("/cohort?spec=retire-cirrus-02", "Go there")
    bundle = write_run(demo, exit_code=None)
    assert guide(studio, "/cohort").page == "/revise"
    write_run(demo, exit_code=0)
    assert guide(studio, "/evidence").link_text == "Go on: sign it, as the one who revised"
    step = guide(studio, "/revise")
    assert (step.page, step.address, step.number, step.count) == (
        "/evidence",
        "/evidence?bundle=retire%2C%20accepted",
        3,
        6,
    )
    # Whoever has gone on to the Release page has read enough.
    assert guide(studio, "/release").title == "sign it, as the one who revised"
    assert guide(studio, "/release").link == ""
    sign(bundle, ADA.key(demo), act=act_of(demo.store, ADA.key(demo), who=ADA.name, why="x"))
    assert guide(studio, "/release").title == "deploy it, as somebody else"
    assert [step.is_done for step in steps_of(studio)] == [True, True, True, True, False, False]


def test_a_damaged_ledger_is_left_to_the_release_page(demo):
    ledger = demo.store / "ledger.jsonl"
    before = ledger.read_bytes()
    ledger.write_bytes(b"{\n")
    try:
        assert guide(opened(demo), "/cohort") is not None
    finally:
        ledger.write_bytes(before)
