"""The matrix of Python versions names what is not there, and fails with what is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from script import ROOT, load_script


@pytest.fixture
def matrix(tmp_path, monkeypatch):
    module = load_script("scripts/python_matrix.py")
    monkeypatch.setattr(module, "FOLDER", tmp_path / "matrix")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return module


def interpreter(path, body):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


REPORT = '<testsuites><testsuite tests="7" failures="1" errors="1" skipped="2"/></testsuites>'


def environment(folder, *, pytest_ends_with):
    """An environment that stands already: pip succeeds, and pytest ends with a code and writes its report."""
    tests = f"""echo '{REPORT}' > "${{3#--junitxml=}}"; exit {pytest_ends_with}"""
    facts = "echo 3.12.9 2.13.0+cpu 1.6.1 2.4.6 2.3.3"
    interpreter(folder / "bin" / "python", f'[ "$2" = pytest ] && {{ {tests}; }}; [ "$1" = -c ] && {facts}; exit 0')


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
    (row,) = [line for line in said.splitlines() if line.startswith("3.12")]
    assert row.split()[:6] == ["3.12", "3.12.9", "2.13.0+cpu", "3", "2", "2"]
    assert row.endswith(words)
    assert said.count("not there: neither on PATH nor in pyenv or uv") == 3


def test_a_machine_without_any_interpreter_fails(matrix):
    assert matrix.main([]) == 1


@pytest.mark.parametrize("uv", [True, False])
def test_uv_installs_where_it_is_on_the_path(matrix, tmp_path, monkeypatch, uv):
    monkeypatch.setenv("TORCH_INDEX", "https://wheels.example/cpu")
    log, python = tmp_path / "log.txt", interpreter(tmp_path / "python", f"echo pip $3 >> {tmp_path}/log.txt")
    if uv:
        interpreter(tmp_path / "bin" / "uv", f'echo "uv $@" >> {log}')
    own = tmp_path / "env" / "bin" / "python"
    interpreter(own, f'echo "pip $@" >> {log}')
    assert matrix.set_up(tmp_path / "env", python) is None
    first, second = log.read_text(encoding="utf-8").splitlines()
    start = f"uv pip install --quiet --python {own}" if uv else "pip -m pip install --quiet"
    assert first.startswith(start)
    assert second.startswith(start)
    assert f"--constraint {ROOT}/constraints.txt torch --extra-index-url https://wheels.example/cpu" in first
    assert ("unsafe-best-match" in first) is uv
    assert second.endswith("--editable .[dev]")


def test_what_cannot_be_installed_is_said(matrix, tmp_path):
    interpreter(tmp_path / "env" / "bin" / "python", "echo 'no such wheel' >&2; exit 1")
    assert matrix.set_up(tmp_path / "env", tmp_path / "python") == "install failed: no such wheel"
    assert matrix.set_up(tmp_path / "other", interpreter(tmp_path / "python", "exit 1")) == "venv failed: no message"


def test_what_is_recorded_names_no_folder(matrix, tmp_path, monkeypatch):
    interpreter(tmp_path / "bin" / "python3.12", "echo 3.12")
    environment(tmp_path / "matrix" / "3.12", pytest_ends_with=0)
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import results_file

    monkeypatch.setattr(results_file.write, "__defaults__", (tmp_path,))
    monkeypatch.setattr(results_file, "facts", lambda: {"commit": "1234567"})
    assert matrix.main(["--record"]) == 0
    text = (tmp_path / "python_matrix.json").read_text(encoding="utf-8")
    document = json.loads(text)
    assert document["tests"] == matrix.TESTS
    assert [run["outcome"] for run in document["runs"]] == ["passed"]
    assert str(tmp_path) not in text


def test_the_tests_by_default_exist(matrix):
    assert [path for path in matrix.TESTS if not (ROOT / path).exists()] == []


def test_the_versions_are_those_that_the_project_supports(matrix):
    assert '">=3.10"' in Path(ROOT, "pyproject.toml").read_text(encoding="utf-8")
    assert matrix.VERSIONS == ("3.10", "3.11", "3.12", "3.13")
