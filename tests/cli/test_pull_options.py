"""The options of `index pull`: each says what it is for, and one of them is needed."""

from __future__ import annotations

import typing

import typer
from typer.testing import CliRunner

from monai_unlearn.cli import app, pull_options

COMMAND = typer.main.get_command(app).commands["index"].commands["pull"]


def test_every_option_of_the_module_is_used_and_says_what_it_is_for():
    own = {
        typing.get_args(option)[1].help
        for option in vars(pull_options).values()
        if typing.get_origin(option) is typing.Annotated
    }
    assert None not in own
    assert own <= {parameter.help for parameter in COMMAND.params}


def test_a_pull_needs_an_archive(tmp_path):
    result = CliRunner().invoke(app, ["index", "pull", "--out", str(tmp_path / "index")])
    assert result.exit_code == 2
    assert "--dicomweb" in result.output
    assert not (tmp_path / "index").exists()
