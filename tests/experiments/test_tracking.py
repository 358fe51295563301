from __future__ import annotations

import json
import os
import sys
from types import ModuleType, SimpleNamespace

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.runner import bundle_command
from monai_unlearn.experiments.tracking import tracked

SAID = []


class Client:
    """What MLflow's client is asked for."""

    def __init__(self, tracking_uri):
        SAID.append(("client", tracking_uri))

    def create_experiment(self, name, artifact_location):
        SAID.append(("experiment", name, artifact_location))
        return "5"

    def create_run(self, experiment, run_name):
        SAID.append(("run", experiment, run_name))
        return SimpleNamespace(info=SimpleNamespace(run_id="parent-1"))

    def __getattr__(self, name):
        # What it is asked for by name is not there yet: `append` returns None.
        return lambda *words: None if name.startswith("get_") else SAID.append((name, *words))


@pytest.fixture
def said(monkeypatch):
    module = ModuleType("mlflow")
    module.MlflowClient = Client
    monkeypatch.setitem(sys.modules, "mlflow", module)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    SAID.clear()
    return SAID


def command(tmp_path, run_id):
    return bundle_command([tmp_path / "bundle" / "configs" / "unlearn.yaml"], run_id, {"seed": 1})


def test_bundle_runs_are_nested_in_the_run_of_the_experiment(said, tmp_path):
    store = f"sqlite:///{tmp_path.as_posix()}/mlruns.db"
    with tracked("mlflow", "compare", tmp_path / "out") as record:
        assert (os.environ["MLFLOW_TRACKING_URI"], os.environ["MONAI_UNLEARN_PARENT_RUN"]) == (store, "parent-1")
        assert "--tracking=mlflow" in command(tmp_path, "unlearn")
        assert "--tracking=mlflow" not in command(tmp_path, "train")
        record({"chosen": "reset", "best": None, "methods": []})
    assert "MLFLOW_TRACKING_URI" not in os.environ
    assert "--tracking=mlflow" not in command(tmp_path, "unlearn")
    assert said[:3] == [
        ("client", store),
        ("experiment", "monai_unlearn", (tmp_path / "mlruns").as_uri()),
        ("run", "5", "compare"),
    ]
    assert ("set_tag", "parent-1", "chosen", "reset") in said
    (text,) = [one for one in said if one[0] == "log_text"]
    assert (json.loads(text[2])["chosen"], text[3]) == ("reset", "compare.json")
    assert said[-1] == ("set_terminated", "parent-1", "FINISHED")


@pytest.mark.parametrize(("error", "status"), [(ConfigError("no"), "FAILED"), (KeyboardInterrupt(), "KILLED")])
def test_the_run_is_closed_however_it_ends(said, tmp_path, error, status):
    def work():
        with tracked("mlflow", "sweep", tmp_path / "out"):
            raise error

    with pytest.raises(type(error)):
        work()
    assert said[-1] == ("set_terminated", "parent-1", status)
    assert "MONAI_UNLEARN_PARENT_RUN" not in os.environ


def test_a_store_of_the_environment_is_used(said, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    with tracked("mlflow", "sweep", tmp_path / "out"):
        pass
    assert said[:2] == [("client", "http://127.0.0.1:1"), ("experiment", "monai_unlearn", None)]
    assert os.environ["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:1"


def test_what_is_not_there_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ConfigError, match="MLflow is not installed"), tracked("mlflow", "sweep", tmp_path):
        pass
    with pytest.raises(ConfigError, match="--tracking: expected one of mlflow"), tracked("mlflw", "sweep", tmp_path):
        pass
    with tracked(None, "sweep", tmp_path) as record:
        record({})


def test_a_service_that_fails_does_not_end_the_experiment(said, tmp_path, monkeypatch, capsys):
    def fail(*_words):
        raise ConnectionError("http://name:word@127.0.0.1:1")

    monkeypatch.setattr(Client, "log_text", fail, raising=False)
    monkeypatch.setattr(Client, "set_terminated", fail, raising=False)
    with tracked("mlflow", "sweep", tmp_path / "out") as record:
        record({"best": 1})
    with pytest.raises(ConfigError, match="^the real one$"), tracked("mlflow", "sweep", tmp_path / "out"):
        raise ConfigError("the real one")
    printed = capsys.readouterr().err
    assert printed.count("Warning: MLflow failed with ConnectionError") == 3
    assert "word" not in printed


def test_what_the_client_prints_is_not_shown(said, tmp_path, monkeypatch, capsys):
    """It prints the address, which may hold a password, and stdout may be one document of JSON."""
    monkeypatch.setattr(
        Client, "set_terminated", lambda *_: sys.stdout.write("http://name:word@127.0.0.1:1"), raising=False
    )
    with tracked("mlflow", "sweep", tmp_path / "out"):
        sys.stdout.write("a document")
    assert capsys.readouterr().out == "a document"
