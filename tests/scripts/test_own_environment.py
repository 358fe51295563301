"""An environment of its own uses what is there, is made once, and is left out where it cannot be made."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from script import load_script


@pytest.fixture
def made(tmp_path, monkeypatch):
    """The module, with commands that are noted instead of run, and what they were."""
    module = load_script("scripts/own_environment.py")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    called = []

    def call(*words):
        called.append([str(word) for word in words])
        if words[1:3] == ("-m", "venv"):
            Path(words[3], Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)).mkdir(parents=True)

    monkeypatch.setattr(module, "_call", call)
    return module, called


def test_it_uses_the_packages_that_are_there_and_is_made_once(made, tmp_path):
    module, called = made
    folder = tmp_path / "build" / "service"
    for _ in range(2):
        assert module.environment("service", alone=["a==1"], whole=["b==2"]) == folder / "bin" / "python"
    assert [words[-2:] for words in called] == [["venv", str(folder)], ["--no-deps", "a==1"], [called[2][-2], "b==2"]]
    (link,) = folder.rglob("shared.pth")
    assert link.read_text(encoding="utf-8").splitlines() == [sysconfig.get_path("purelib"), str(tmp_path)]
    module.environment("service", whole=["b==3"])
    assert called[-1][-1] == "b==3"


def test_what_cannot_be_installed_is_said_and_left_out(made, monkeypatch, capsys):
    module, _ = made

    def call(*words):
        raise subprocess.CalledProcessError(1, words, stderr="much\nERROR: no such version\n")

    monkeypatch.setattr(module, "_call", call)
    assert module.environment("service", whole=["b==2"]) is None
    assert (
        "service cannot be installed here, so its tests are left out: ERROR: no such version" in capsys.readouterr().out
    )


@pytest.mark.parametrize("name", ["deploy_sdk", "mlflow_server"])
def test_a_service_that_cannot_be_had_is_no_failure(made, monkeypatch, name):
    monkeypatch.setitem(sys.modules, "own_environment", made[0])
    script = load_script(f"scripts/{name}.py")
    monkeypatch.setattr(script, "environment", lambda *_, **__: None)
    assert script.main() == 0
    assert [path for path in script.TESTS if not Path(__file__).parents[2].joinpath(path).is_file()] == []
