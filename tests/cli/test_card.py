from __future__ import annotations

import json

import pytest
from card_example import CLOSE, FULL, build
from forgotten_images import write_run
from two_bundles import weights, write_bundle
from typer.testing import CliRunner

from monai_unlearn.cli import app


def run(*words):
    return CliRunner().invoke(app, ["card", *map(str, words)], env={"COLUMNS": "200"})


@pytest.fixture
def pair(tmp_path):
    return write_bundle(tmp_path / "a"), write_bundle(tmp_path / "b", state=weights(0.5))


def test_diff_of_any_two_bundles(pair):
    found = run("diff", *pair)
    assert found.exit_code == 0
    assert "| models/model.pt | changed |" in found.stdout
    document = json.loads(run("diff", *pair, "--format", "json").stdout)
    assert [one["op"] for one in document["patch"]] == ["replace"]
    assert json.loads(run("diff", *pair, "--json").stdout) == document


def test_fail_on_material_exits_with_3_and_says_why(pair):
    found = run("diff", *pair, "--fail-on", "material")
    assert found.exit_code == 3
    assert "Material: weights: models/model.pt is another file." in found.stderr
    assert "| models/model.pt | changed |" in found.stdout
    assert run("diff", pair[0], pair[0], "--fail-on", "material").exit_code == 0


@pytest.mark.parametrize(
    ("kind", "start"), [("html", "<!doctype html>"), ("md", "# Lungs"), ("chai", "<?xml"), ("json", "{")]
)
def test_formats(pair, kind, start):
    assert run("diff", *pair, "--format", kind).stdout.startswith(start)
    assert run("show", pair[0], "--format", kind).stdout.startswith(start)


def test_show_renders_the_card_of_a_revision(tmp_path):
    root = write_bundle(tmp_path / "a", card=build(original=FULL, revised=CLOSE))
    assert "**Not known: do not deploy yet.**" in run("show", root).stdout
    assert '<div class="strip not_known">' in run("show", root, "--format", "html").stdout


def test_what_is_no_bundle_is_refused(tmp_path):
    found = run("show", tmp_path)
    assert found.exit_code == 2
    assert "is not a MONAI bundle" in found.stderr
    assert run("diff", tmp_path, tmp_path).exit_code == 2


def test_show_with_images_of_the_index(tmp_path):
    bundle, index = write_run(tmp_path)
    words = ("show", bundle, "--format", "html", "--include-images")
    assert "<img " in run(*words, "--index", index.directory).stdout
    found = run(*words)
    assert found.exit_code == 2
    assert "--include-images and --index DIR belong together" in found.stderr
    assert "<img " not in run("show", bundle, "--format", "html").stdout
