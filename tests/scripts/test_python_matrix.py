"""The matrix of Python versions names what is not there, and fails with what is."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "python_matrix.py"


@pytest.fixture
def matrix(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("python_matrix", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "FOLDER", tmp_path / "matrix")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return module


def interpreter(path, body):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def environment(folder, *, pytest_ends_with):
    """An environment that stands already: pip succeeds, and pytest ends with a code."""
    interpreter(folder / "bin" / "python", f'[ "$2" = pytest ] && exit {pytest_ends_with}; exit 0')


def test_interpreters_come_from_the_path_pyenv_and_uv_and_must_start(matrix, tmp_path):
    # A script of pyenv on PATH that refuses, and the interpreter that it stands for.
    interpreter(tmp_path / "bin" / "python3.10", "exit 127")
    behind = interpreter(tmp_path / "pyenv" / "versions" / "3.10.9" / "bin" / "python", "echo 3.10")
    on_path = interpreter(tmp_path / "bin" / "python3.11", "echo 3.11")
    known_to_uv = interpreter(tmp_path / "uv_python", "echo 3.13")
    interpreter(tmp_path / "bin" / "uv", f'[ "$4" = 3.13 ] && echo {known_to_uv} || exit 2')
    found = {version: matrix.find(version) for version in matrix.VERSIONS}
    assert found == {"3.10": behind, "3.11": on_path, "3.12": None, "3.13": known_to_uv}


@pytest.mark.parametrize(("code", "words"), [(0, "passed"), (1, "pytest ended with 1")])
def test_versions_that_are_not_there_are_named_and_those_that_are_decide(matrix, tmp_path, capsys, code, words):
    interpreter(tmp_path / "bin" / "python3.12", "echo 3.12")
    environment(tmp_path / "matrix" / "3.12", pytest_ends_with=code)
    assert matrix.main([]) == code
    said = capsys.readouterr().out
    assert f"Python 3.12: {words}\n" in said
    assert said.count("not there: neither on PATH nor in pyenv or uv") == 3


def test_a_machine_without_any_interpreter_fails(matrix):
    assert matrix.main([]) == 1


def test_the_versions_are_those_that_the_project_supports(matrix):
    assert '">=3.10"' in (SCRIPT.parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    assert matrix.VERSIONS == ("3.10", "3.11", "3.12", "3.13")
