"""The options of `index fetch`, as its help names them."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from monai_unlearn.cli import app


@pytest.mark.parametrize(
    "option",
    ["--index", "--parts", "--on-demand", "--limit", "--budget-bytes", "--images", "--dicomweb", "--dimse", "--called",
     "--aet", "--move", "--connections"],
)  # fmt: skip
def test_each_option_is_in_the_help(option):
    shown = CliRunner().invoke(app, ["index", "fetch", "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert re.search(rf"{option}\b", shown.stdout)


@pytest.mark.parametrize("port", ["0", "70000", "x"])
def test_a_port_is_one(port):
    words = ["index", "fetch", "spec.yaml", "--index", "index", "--move", port]
    assert CliRunner().invoke(app, words).exit_code == 2
