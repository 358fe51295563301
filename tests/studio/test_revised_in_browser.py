"""A real revision, from the saved spec to its evidence, as a user walks it in a browser."""

from __future__ import annotations

import shutil

import pytest
from browser import chromium
from bundle_run import BUNDLE
from nightly import nightly
from studio_process import studio_process
from typer.testing import CliRunner

from monai_unlearn.cli import app

PATIENTS = "60"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("revised")
    shutil.copytree(BUNDLE, folder / "bundle")
    studies, index = str(folder / "studies"), str(folder / "index")
    labels = ("--table", f"{studies}/labels.csv", "--key", "SOPInstanceUID", "--label", "diagnosis")
    for words in (
        ("phantom", "fundus", studies, "--patients", PATIENTS, "--seed", "0"),
        ("index", "build", studies, "--out", index, *labels),
    ):
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output
    return folder


@nightly
def test_a_camera_is_forgotten_from_the_estimate_to_the_evidence(folder):
    words = [word for name in ("index", "work", "bundle") for word in (f"--{name}", str(folder / name))]
    with chromium() as browser, studio_process(*words, folder=folder) as running:
        context = browser.new_context()
        context.set_default_timeout(120_000)
        page = context.new_page()
        page.goto(running.link)
        page.get_by_label("Retire a camera or scanner").select_option("Spectralis")
        page.get_by_role("button", name="Write the spec").click()
        page.locator("#preview .headline").wait_for()
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_text("Saved.").wait_for()
        page.goto(f"{running.origin}/revise")
        page.get_by_label("Your name: who revises").fill("Ada")
        cost = page.get_by_role("button", name="What will it cost?")
        cost.click()  # a tenth of what so few images cost does not pay for a step
        page.locator("#estimate", has_text="the smallest run costs").wait_for()
        page.get_by_label("Budget, in percent of what retraining costs").fill("95")
        cost.click()
        page.locator("#estimate", has_text="gradients of single images: 95.0 % of retraining once").wait_for()
        page.get_by_role("button", name="Start").click()
        page.locator("#last", has_text="Unlearning: step").wait_for()
        page.close()  # stops nothing
        page = context.new_page()
        page.goto(f"{running.origin}/revise")
        page.get_by_text("Revised by Ada.").wait_for()
        if page.get_by_role("button", name="Cancel").count():  # it may be over by now
            page.get_by_role("button", name="Cancel").click()
            page.locator("#state", has_text="stopp").wait_for()
            page.get_by_role("button", name="Resume").click()
        page.get_by_role("link", name="Look at the evidence").click()
        page.get_by_label("Image number").fill("1")
        page.get_by_text("Image 1: part").wait_for()
        assert page.locator(".linked .chosen").count() == 2  # nothing was retrained
        devices = page.get_by_label("Device", exact=True).locator("option").all_inner_texts()
        assert {"Spectralis", "Cirrus 800 FA"} < set(devices)
        context.close()
