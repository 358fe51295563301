from __future__ import annotations

import shutil

import pytest
from bundle_run import BUNDLE, WIDE
from run_files import read

from monai_unlearn.engine import NotAccepted
from monai_unlearn.errors import ConfigError, ExitCode, InputError


def test_an_unknown_audit_is_refused_before_the_run(tiny, tmp_path):
    with pytest.raises(ConfigError, match="audits: expected one of membership, .*Did you mean 'membership'"):
        tiny.judged(tmp_path / "out", audits="membershp")
    assert not (tmp_path / "out").exists()


def test_an_override_of_one_key_is_enough(tiny, tmp_path):
    with pytest.raises(NotAccepted, match="erased: |inconclusive: "):
        tiny.judged(tmp_path / "out", **{"decision::objective": "erase", "decision::healthy_classes": []})
    declared = read(tmp_path / "out", "metrics.json")["decision"]["declared"]
    assert (declared["objective"], declared["healthy_classes"], declared["limit"]) == ("erase", [], 0.5)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            {"decision": {"objective": "eraze", "healthy_classes": []}},
            "decision: objective: expected one of match_reference, erase, got 'eraze'. Did you mean 'erase'",
        ),
        ({"decision": {"healthy_classes": ["upp"]}}, "decision: healthy_classes: .* got 'upp'. Did you mean 'up'"),
        ({"decision": {"healthy_clases": []}}, "Did you mean 'healthy_classes'"),
        ({"decision": {}}, "decision: expected healthy_classes"),
        ({"objective": "erase"}, "nothing in the config uses 'objective'. Did you mean '--decision::objective'"),
        ({"output_dir": None}, "output_dir is not set"),
        ({"cohort_spec": None}, "cohort_spec is not set. Give it on the command line: --cohort_spec"),
        ({"index_dir": None}, "index_dir is not set"),
        ({"refrence": "retrain"}, "nothing in the config uses 'refrence'. Did you mean '--reference'"),
        ({"max_epoch": 3}, "Did you mean '--max_epochs'"),
        ({"stop": {"forget_accuracy": 2}}, r"expected forget_accuracy in \[0, 1\], got 2"),
        ({"split": {"seed": 1, "test_fraction": 0.2}}, "trained under another split"),
        ({"method": {"_target_": "monai_unlearn.methods.PSG", "steps": 0}}, "boundary search: expected"),
    ],
)
def test_bad_settings_end_before_anything_is_written(tiny, tmp_path, overrides, message):
    with pytest.raises(InputError, match=message):
        tiny.judged(tmp_path / "out", **overrides)
    assert list(tmp_path.iterdir()) == []


def test_results_are_never_overwritten(tiny, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("precious")
    with pytest.raises(InputError, match="out: expected a new or empty folder, found a folder that is not empty"):
        tiny.judged(tmp_path / "out")
    assert (tmp_path / "out" / "mine").read_text() == "precious"


def test_results_within_the_bundle_are_refused(tiny, tmp_path):
    bundle = tmp_path / "bundle"
    shutil.copytree(BUNDLE, bundle, ignore=shutil.ignore_patterns("models"))
    with pytest.raises(ConfigError, match="lies within the bundle"):
        tiny.judged(bundle / "out", bundle_root=str(bundle))
    assert not (bundle / "out").exists()


def test_boundary_targets_on_two_classes_are_refused_unless_forced(tiny, tmp_path):
    with pytest.raises(ConfigError, match=r"sensitivity fell from 96 % to 7 %.*--force true") as error:
        tiny.judged(tmp_path / "out", force=False)
    assert error.value.exit_code == ExitCode.BAD_INPUT
    assert not (tmp_path / "out").exists()


def test_the_record_lies_beside_the_weights(tiny, tmp_path):
    revision = tiny.revision(tmp_path / "out")
    assert isinstance(revision.checkpoint, str)
    assert revision.checkpoint_path == tiny.checkpoint
    assert revision.record_path == tiny.checkpoint.with_name("training.json")


def test_what_follows_from_the_settings_is_known_before_the_run(tiny, tmp_path):
    revision = tiny.revision(tmp_path / "out", **WIDE)
    assert (revision.info.name, revision.judged_classes) == ("psg", ("up", "down"))
    assert (revision.judged_by.objective, revision.stop_rule.gap_to_reference) == ("erase", None)
    assert revision.base.root == BUNDLE
    assert revision.network is revision.trainer.network
    assert not (tmp_path / "out").exists()
