from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from monai_unlearn.cli.command import AsJson, Command, emit
from monai_unlearn.errors import DataError, ExitCode, InputError, TrainingError, UnlearnError

APP = typer.Typer(pretty_exceptions_enable=False)


class NotAcceptedError(UnlearnError):
    exit_code = ExitCode.NOT_ACCEPTED


ERRORS = {"none": None, "data": DataError, "input": InputError, "training": TrainingError, "refused": NotAcceptedError}


@APP.command(cls=Command)
def run(kind: str, *, as_json: AsJson = False) -> None:
    if kind == "import":
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as interrupt:
            raise ImportError("initialization failed") from interrupt
    error = ERRORS[kind]
    if error is not None:
        raise error("the column 'eye' is empty. Fill it")
    emit({"name": "ä", "n": 1}, as_json=as_json, render=lambda: typer.echo("for people"))


def _run(*arguments):
    return CliRunner().invoke(APP, arguments)


def test_without_an_error_a_result_is_rendered_or_printed_as_json():
    assert _run("none").stdout == "for people\n"
    result = _run("none", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"name": "ä", "n": 1})
    assert "ä" in result.stdout


@pytest.mark.parametrize(("kind", "code"), [("data", 2), ("input", 2), ("training", 1), ("refused", 3)])
def test_an_error_is_one_message_and_its_exit_code(kind, code):
    result = _run(kind)
    assert result.exit_code == code
    assert result.stdout == ""
    assert result.stderr == "Error: the column 'eye' is empty. Fill it\n"


def test_with_json_an_error_is_a_document_as_well():
    result = _run("data", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout) == {
        "error": {"kind": "DataError", "message": "the column 'eye' is empty. Fill it"}
    }
    assert result.stderr.startswith("Error: ")


def test_an_interrupt_within_an_import_is_an_interrupt(monkeypatch):
    result = _run("import")
    assert (result.exit_code, "Traceback" in result.output) == (130, False)
    monkeypatch.setitem(ERRORS, "missing", ImportError)
    assert isinstance(_run("missing").exception, ImportError)


def test_what_is_not_an_error_of_ours_is_not_caught():
    with pytest.raises(KeyError, match="unheard of"):
        CliRunner().invoke(APP, ["unheard of"], catch_exceptions=False)
