"""`unlearn` on the tiny cohort: one run for the whole module, in this process."""

from __future__ import annotations

import html
import json
import random
import sys

import numpy as np
import pytest
import torch
from bundle_run import TINY
from bundle_walk import BUNDLES, copied, run

import monai_unlearn
from monai_unlearn import CohortSpec, Index, Result, unlearn
from monai_unlearn.api import _spec_file
from monai_unlearn.errors import ConfigError, InputError, SpecError

SETTINGS = {
    **{name: value for name, value in TINY.items() if name != "batch_size"},
    "steps": 2,
    "force": True,
    "audits": [],
    "decision::healthy_classes": [],
}
HOSTILE_LIST = """\
schema_version: 1
name: withdraw
reason: consent_withdrawal
forget: patient in @gone
value_sets: {gone: [patient-000, "no", "1_0"]}
"""


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    walked = copied(BUNDLES[0], tmp_path_factory.mktemp("api"))
    run("train", "train.yaml", bundle=walked.root, **walked.data, max_epochs=1)
    return walked


def state():
    return {
        "hook": sys.excepthook,
        "path": list(sys.path),
        "cudnn": (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark),
        "python": random.getstate(),
        "numpy": np.random.get_state()[1].tolist(),  # noqa: NPY002 - the state that MONAI sets
        "torch": torch.get_rng_state().tolist(),
    }


@pytest.fixture(scope="module")
def revised(walked):
    before = state()
    result = unlearn(
        walked.root,
        index=Index.open(walked.folder / "index"),
        spec=CohortSpec.read(walked.folder / "spec.yaml"),
        output_dir=walked.folder / "revision",
        **SETTINGS,
    )
    return result, before, state()


def test_the_result_is_what_the_run_wrote(revised, walked):
    result, _, _ = revised
    assert isinstance(result, Result)
    metrics = json.loads((walked.folder / "revision" / "evidence" / "metrics.json").read_text(encoding="utf-8"))
    assert result.verdict == metrics["verdict"] == "not_known"  # a result all the same
    assert result.bundle == walked.folder / "revision" / "rejected_bundle"
    assert (result.bundle / "models" / "model.pt").is_file()
    frame = result.metrics
    row = frame.query("network == 'revised' and part == 'forget' and split == 'test' and metric == 'accuracy'")
    assert row["class"].tolist() == ["all", "up", "down"]
    assert row["value"].tolist()[0] == metrics["models"]["revised"]["forget"]["test"]["accuracy"]
    assert "<iframe" in result.card._repr_html_()
    assert "not_known" in result._repr_html_()


def test_the_process_is_as_before(revised):
    _, before, after = revised
    assert after == before


def test_the_run_is_the_same_as_that_of_the_command(revised, walked):
    config = json.loads((revised[0].evidence / "run.json").read_text(encoding="utf-8"))["config"]
    assert config["steps"] == 2
    assert config["cohort_spec"] == str(walked.folder / "spec.yaml")
    assert config["bundle_root"] == "$engine.bundle_root()"


def test_the_method_follows_from_the_cohort_and_record_and_card_say_why(revised):
    evidence = revised[0].evidence
    record, card = (
        json.loads((evidence / name).read_text(encoding="utf-8")) for name in ("run.json", "model_card_diff.json")
    )
    assert record["config"]["method"] == "$methods.default_for(@data)"
    assert (record["method"]["name"], record["method"]["chosen_by"]) == ("shrink_perturb", "default")
    ground = record["method"]["ground"]
    assert ground.startswith(
        "shrink and perturb, which keeps half of every weight, at half of training's rate with a budget of up to a"
    )
    method = card["modification"]["method"]
    assert (method["chosen_by"], method["ground"]) == ("default", ground)
    assert {name: method["settings"][name] for name in ("kept", "rate")} == {"kept": 0.5, "rate": "auto"}
    told = f"shrink_perturb; by default, {ground}."
    assert told in html.unescape((evidence / "model_card_diff.html").read_text(encoding="utf-8"))
    assert told in (evidence / "model_card_diff.md").read_text(encoding="utf-8").replace("\\", "")
    assert revised[0].summary()["method"] == record["method"]


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"spec": "none.yaml"}, SpecError, "none.yaml: cannot be read"),
        ({"refrence": "retrain"}, ConfigError, "nothing in the config uses 'refrence'. Did you mean '--reference'"),
        ({"index_dir": "x"}, ConfigError, "index_dir: unlearn.. takes it as index="),
        ({"output_dir": "revision"}, InputError, "expected a new or empty folder"),
        ({"bundle": "nowhere"}, ConfigError, "expected a MONAI bundle"),
        ({"method": "psgg"}, ConfigError, "psgg"),
        ({"method::noise": 0.1}, ConfigError, "method::noise: a setting of which method"),
        ({"reference": ("none.pt",)}, ConfigError, "none.pt"),
    ],
)
def test_bad_input_raises_our_error_as_it_is(revised, walked, changed, error, message):
    given = {"index": walked.folder / "index", "spec": walked.folder / "spec.yaml", "output_dir": "other", **SETTINGS}
    given |= changed
    bundle, out = given.pop("bundle", walked.root), walked.folder / given.pop("output_dir")
    before = sys.excepthook
    with pytest.raises(error, match=message) as caught:
        unlearn(bundle, output_dir=out, **given)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert sys.excepthook is before
    assert not (walked.folder / "other").exists()


def test_a_spec_of_no_file_is_written_for_the_run_alone():
    spec = CohortSpec.parse(HOSTILE_LIST)
    with _spec_file(spec) as path:
        assert CohortSpec.read(path) == spec
        assert path.parent.stat().st_mode & 0o077 == 0
    assert not path.exists()


def test_a_file_that_says_something_else_by_now_is_not_used(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(HOSTILE_LIST, encoding="utf-8")
    spec = CohortSpec.read(path)
    with _spec_file(spec) as used:
        assert used == path
    path.write_text(HOSTILE_LIST.replace("withdraw\n", "other\n"), encoding="utf-8")
    with _spec_file(spec) as used:
        assert used != path
        assert CohortSpec.read(used) == spec


def test_the_package_names_what_it_offers():
    assert {"CohortSpec", "Index", "Result", "UnlearnError", "unlearn", "__version__"} <= set(monai_unlearn.__all__)
    for name in monai_unlearn.__all__:
        assert getattr(monai_unlearn, name)
