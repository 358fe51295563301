from __future__ import annotations

import dataclasses
import functools
import json
import re
import shutil
import sys
import textwrap
from unittest import mock

import pytest
from bundle_run import BUNDLE, PLAIN, TINY, unlearn
from monai.bundle import ConfigParser, ConfigWorkflow
from release_example import write_keys
from run_files import read, revised_digest
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.data import subset_datasets
from monai_unlearn.engine import NotAccepted, Revision
from monai_unlearn.engine.revision_settings import RevisionSettings
from monai_unlearn.evaluation import PredictionTable
from monai_unlearn.methods import PixelSpace
from monai_unlearn.release.sign import sign
from monai_unlearn.release.verify import Kind, verify


def test_the_docstring_says_what_each_setting_is():
    arguments = Revision.__doc__.partition("Args:")[2].partition("Raises:")[0]
    described = re.findall(r"^        (\w+): ", arguments, re.MULTILINE)
    settings = [field.name for field in dataclasses.fields(Revision)]
    assert settings == [field.name for field in dataclasses.fields(RevisionSettings)]
    assert sorted(described) == sorted(settings)


def test_a_tracked_run_is_known_by_what_decides_how_the_network_is_revised(tiny, tmp_path):
    found = tiny.revision(tmp_path / "out", seed=3)._parameters()
    assert (found["method"], found["seed"], found["objective"]) == ("psg", 3, "match_reference")
    assert found["method.epsilon"] == 0.03
    assert "method._target_" not in found


def test_the_bundle_is_what_it_says_of_itself(revised, tmp_path):
    out, _ = revised
    assert [fault.kind for fault in verify(out / "rejected_bundle").faults] == [Kind.UNSIGNED]
    private, public = write_keys(tmp_path)
    sign(out / "rejected_bundle", private, signature=tmp_path / "a.sig")
    report = verify(out / "rejected_bundle", public_key=public, signature=tmp_path / "a.sig")
    assert (report.exit_code, list(report.faults), list(report.warnings)) == (0, [], [])
    assert report.weights_digest == revised_digest(out)


def test_a_sound_bundle_evaluates_as_its_evidence_says(revised, tiny, tmp_path):
    out, _ = revised
    private, public = write_keys(tmp_path)
    sign(out / "rejected_bundle", private, signature=tmp_path / "a.sig")
    words = ["verify", out / "rejected_bundle", "--public-key", public, "--signature", tmp_path / "a.sig"]
    done = CliRunner().invoke(app, [str(word) for word in [*words, "--replay", "--index", tiny.index, "--json"]])
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)["replay"]
    assert figures["images"] == len(PredictionTable.read(out / "evidence" / "predictions.parquet").frame)
    assert figures["largest_difference"] < 1e-4
    # It left nothing behind in the bundle.
    assert verify(out / "rejected_bundle", public_key=public, signature=tmp_path / "a.sig").exit_code == 0


def test_the_revised_bundle_runs_with_the_same_commands(tiny, revised, tmp_path):
    bundle = revised[0] / "rejected_bundle"
    assert read(bundle / "configs", "metadata.json")["version"] == "0.2.0"
    found = tmp_path / "evaluation.json"
    settings = {"index_dir": str(tiny.index), "cohort_spec": str(tiny.spec)}
    # Its configs have the run's classes and image size.
    plain = {"config_file": str(bundle / "configs" / "evaluate.yaml"), "run_id": "evaluate", "logging_file": False}
    workflow = ConfigWorkflow(**plain, workflow_type="train", output_file=str(found), device="cpu", **settings)
    with mock.patch.object(sys, "excepthook"):
        workflow.initialize()
        workflow.run()
    assert workflow.parser.get_parsed_content("class_names") == ["up", "down"]
    assert (
        read(tmp_path, "evaluation.json")["models"]["weights"] == read(revised[0], "metrics.json")["models"]["revised"]
    )
    again = tmp_path / "again"
    unlearn(bundle=bundle, **{**PLAIN, "output_dir": str(again), **settings})
    assert read(again / "rejected_bundle" / "configs", "metadata.json")["version"] == "0.3.0"


def test_the_example_in_the_docstring_runs(tiny, tmp_path, monkeypatch):
    """A revision built in Python gives the weights of the same run from the command line."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(BUNDLE, "my_bundle")
    for name in ("model.pt", "training.json"):
        shutil.copyfile(tiny.checkpoint.with_name(name), tmp_path / "my_bundle" / "models" / name)
    settings = {**PLAIN, **TINY, "index_dir": str(tiny.index), "cohort_spec": str(tiny.spec)}
    parser = ConfigParser()
    parser.read_config("my_bundle/configs/unlearn.yaml")
    parser.read_meta("my_bundle/configs/metadata.json")
    parser.update({**settings, "imports": ["$import monai_unlearn.engine as engine"], "output_dir": "not used"})
    names = {"data": "data", "preprocessing": "preprocessing", "retraining": "revision::retraining"}
    values = {name: parser.get_parsed_content(key) for name, key in {**names, "trainer": "train::trainer"}.items()}
    (snippet,) = re.findall(r"```python\n(.*?)```", Revision.__doc__, re.DOTALL)
    values |= {
        "Revision": functools.partial(Revision, force=True),
        "PixelSpace": PixelSpace,
        "subset_datasets": subset_datasets,
    }
    with pytest.raises(NotAccepted, match="not_known"):
        exec(compile(textwrap.dedent(snippet), "revision.py", "exec"), values)  # noqa: S102 - the example of this package
    tiny.unlearn(tmp_path / "out")
    assert revised_digest(tmp_path / "revision") == revised_digest(tmp_path / "out")
