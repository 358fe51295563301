from __future__ import annotations

import json
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from unittest import mock

import pytest
from bundle_walk import BUNDLES
from monai.bundle import ConfigWorkflow
from nightly import nightly

from monai_unlearn.engine import bundle_root, executed_config, report_errors, usable_device
from monai_unlearn.engine.host import _plain, current_workflow, ours, refuse_misspelt
from monai_unlearn.errors import ConfigError, SpecError


def test_outside_a_run_the_bundle_is_the_working_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert current_workflow() is None
    assert Path(bundle_root()) == tmp_path
    assert executed_config() == {}


def wrapped(error: Exception) -> Exception:
    """Raise as MONAI does: inside an expression inside a component."""
    try:
        try:
            raise error
        except Exception as inner:
            raise RuntimeError("Failed to instantiate component") from inner
    except Exception as outer:
        return outer


def reported(error: BaseException, capsys) -> tuple[int, str]:
    program = ModuleSpec("monai.bundle.__main__", None)
    with mock.patch.object(sys, "excepthook"), mock.patch.object(sys.modules["__main__"], "__spec__", program):
        report_errors()
        with pytest.raises(SystemExit, match=r"\d+") as caught:
            sys.excepthook(type(error), error, error.__traceback__)
    return caught.value.code, capsys.readouterr().err


def test_another_program_keeps_its_hook():
    before = sys.excepthook
    report_errors()
    assert sys.excepthook is before


def test_our_error_is_found_inside_what_monai_wraps_it_in(capsys):
    error = wrapped(SpecError("spec.yaml:3: no field is named 'devise'."))
    assert isinstance(ours(error), SpecError)
    assert reported(error, capsys) == (2, "Error: spec.yaml:3: no field is named 'devise'.\n")


@pytest.mark.parametrize(
    ("lines", "last"),
    [
        (["spec.yaml:3:1: unknown key.", "    3 | scop", "      | ^^^^"], "Error: spec.yaml:3:1: unknown key."),
        (
            ["spec.yaml: 2 faults:", "spec.yaml:3:1: x", "spec.yaml:4:1: y"],
            "Error: spec.yaml: 2 faults: spec.yaml:3:1: x",
        ),
    ],
)
def test_the_last_line_says_what_is_wrong(capsys, lines, last):
    code, text = reported(wrapped(SpecError("\n".join(lines))), capsys)
    assert code == 2
    assert text.splitlines() == [*lines, last]


def test_other_errors_keep_their_traceback(capsys):
    code, text = reported(wrapped(KeyError("x")), capsys)
    assert code == 1
    assert "Traceback" in text
    assert "KeyError" in text


@pytest.mark.parametrize("within_import", [False, True])
def test_an_interruption_has_no_traceback(capsys, within_import):
    error = KeyboardInterrupt()
    if within_import:
        error = ImportError("initialization failed")
        error.__cause__ = KeyboardInterrupt()
    code, text = reported(error, capsys)
    assert code == 130
    assert text.startswith("Interrupted: no result was written. If there is a checkpoint")
    assert len(text.splitlines()) == 1


def test_a_setting_that_nothing_uses_and_looks_like_another_is_refused():
    config = {"reference": None, "refrence": "retrain", "revision": {"reference": "@reference"}}
    with pytest.raises(ConfigError, match="nothing in the config uses 'refrence'. Did you mean '--reference'"):
        refuse_misspelt(config)
    refuse_misspelt(config, known={"refrence"})


@pytest.mark.parametrize(("typed", "meant"), [("stopp", "stop"), ("eval_intervall", "eval_interval")])
def test_a_setting_that_a_component_takes_by_name_counts_as_used(typed, meant):
    revision = {"_target_": "monai_unlearn.engine.Revision.from_config"}
    refuse_misspelt({"stop": None, "eval_interval": 3, "revision": revision})
    with pytest.raises(ConfigError, match=f"nothing in the config uses '{typed}'. Did you mean '--{meant}'"):
        refuse_misspelt({meant: None, typed: 1, "revision": revision})
    with pytest.raises(ConfigError, match=f"nothing in the config uses '{typed}'. Did you mean '--{meant}'"):
        refuse_misspelt({typed: 1, "revision": revision})


def test_what_a_bundle_defines_is_not_misspelt(tmp_path, monkeypatch):
    # As in other people's bundles: another config of theirs uses `datasets`, this one `dataset`.
    (tmp_path / "configs").mkdir()
    config = {"initialize": ["$__import__('monai_unlearn.engine').engine.report_errors()"], "run": []}
    config |= {"dataset": 1, "datasets": 2, "loader": "@dataset"}
    (tmp_path / "configs" / "notes.json").write_text("not JSON", encoding="utf-8")
    path = tmp_path / "configs" / "run.json"
    path.write_text(json.dumps(config), encoding="utf-8")

    def run(**overrides):
        options = {"workflow_type": "train", "meta_file": False, "logging_file": False, "properties_path": None}
        ConfigWorkflow(config_file=str(path), **options, **overrides).initialize()

    run()
    with pytest.raises(Exception, match="execute|eval|parse|instantiat") as caught:
        run(datset=3)
    assert "nothing in the config uses 'datset'" in str(ours(caught.value))


@pytest.mark.parametrize(
    ("run_id", "words", "said"),
    [
        ("unlearn", ["--acceptance", "{}"], "nothing in the config uses 'acceptance'. Did you mean '--"),
        pytest.param(
            "train", ["--acceptance={}"], "nothing in the config uses 'acceptance'. Did you mean '--", marks=nightly
        ),
        pytest.param(
            "evaluate",
            ["--acceptance", "1"],
            "nothing in the config uses 'acceptance'. Did you mean '--",
            marks=nightly,
        ),
        pytest.param(
            "unlearn", ["--parts", "[remain]"], "nothing in the config uses 'parts'. Did you mean '--", marks=nightly
        ),
        ("evaluate", ["--output_dir", "out"], "nothing in the config uses 'output_dir'. Did you mean '--output_file'?"),
    ],
)
def test_a_setting_of_the_command_line_that_nothing_uses_ends_with_2(run_id, words, said):
    """MONAI takes any setting: one of an earlier version would decide nothing, and nobody would know."""
    config = BUNDLES[0] / "configs" / f"{run_id}.yaml"
    command = [sys.executable, "-m", "monai.bundle", "run", run_id, "--config_file", str(config), *words]
    found = subprocess.run(command, check=False, capture_output=True, text=True, timeout=180)
    assert found.returncode == 2, found.stderr
    assert found.stderr.splitlines()[-1].startswith(f"Error: {said}")


def test_what_the_files_of_a_run_define_may_be_given(monkeypatch):
    config = BUNDLES[0] / "configs" / "train.yaml"
    # `dataset_dir` is a property that MONAI asks for; nothing in the config uses it.
    monkeypatch.setattr(sys, "argv", ["run", "train", "--dataset_dir", "x", "--run_id=train", "--progress", "y"])
    options = {"workflow_type": "train", "run_id": "train", "logging_file": False}
    ConfigWorkflow(config_file=str(config), **options, dataset_dir="x", progress="y").initialize()


def test_a_training_run_within_a_run_need_not_know_the_settings_of_the_command_line(tmp_path, monkeypatch):
    path = tmp_path / "train.json"
    text = {"initialize": ["$__import__('monai_unlearn.engine').engine.report_errors()"], "run": []}
    path.write_text(json.dumps(text), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["run", "unlearn", "--keyfile", "site.key"])
    options = {"workflow_type": "train", "meta_file": False, "logging_file": False, "properties_path": None}

    class Outer(ConfigWorkflow):
        def initialize(self):
            inner.initialize()

    inner = ConfigWorkflow(config_file=str(path), **options, keyfile="site.key")
    Outer(config_file=str(path), **options).initialize()
    with pytest.raises(Exception, match="execute|eval|parse|instantiat") as caught:
        ConfigWorkflow(config_file=str(path), **options, keyfile="site.key", seed=1, decision="@seed").initialize()
    assert "nothing in the config uses 'keyfile'. Did you mean '--seed'" in str(ours(caught.value))
    with pytest.raises(Exception, match="execute|eval|parse|instantiat") as caught:
        inner.initialize()
    assert str(ours(caught.value)) == "nothing in the config uses 'keyfile'."


def test_a_config_becomes_plain_values():
    found = _plain({"a": (1, [None, True]), 2: Path("x"), "c": {"d": 0.5}})
    assert found == {"a": [1, [None, True]], "2": "x", "c": {"d": 0.5}}


def test_a_device_is_tried():
    assert usable_device("cpu").type == "cpu"
    for name in ("cuda:99", "nonsense"):
        with pytest.raises(ConfigError, match=f"device: '{name}' cannot be used here"):
            usable_device(name)
