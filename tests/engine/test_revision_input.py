from __future__ import annotations

import hashlib
import shutil
from types import SimpleNamespace

import pytest
from run_files import read
from tiny import tiny_index, tiny_spec, write_images

from monai_unlearn.engine.revision_input import RevisionInput
from monai_unlearn.errors import CohortError, ConfigError, ExitCode
from monai_unlearn.release import weights_digest

CONSENT = "schema_version: 1\nname: gone\nreason: consent_withdrawal\nforget: patient in [patient-003, patient-005]\n"


def test_doubtful_images_that_were_trained_on_are_not_passed_over_when_consent_is_withdrawn(tiny, tmp_path):
    frame = write_images(tmp_path / "pictures")
    frame.loc[frame["patient"].isin(["patient-000", "patient-001", "patient-002"]), "patient"] = None
    tiny_index(tmp_path, frame=frame)
    settings = {"index_dir": str(tmp_path / "index"), "cohort_spec": str(tiny_spec(tmp_path, CONSENT))}
    with pytest.raises(CohortError, match="images that .* may belong to patients who withdrew their consent") as caught:
        tiny.judged(tmp_path / "out", **settings)
    assert caught.value.exit_code == ExitCode.BAD_INPUT
    assert not (tmp_path / "out").exists()
    tiny_spec(tmp_path, f"{CONSENT}unknown: exclude\nwhy: They are phantoms.\n")
    tiny.unlearn(tmp_path / "out", **settings)
    card = read(tmp_path / "out", "model_card_diff.json")
    assert card["modification"]["cohort"]["doubtful_training"]["images"] > 0
    assert card["modification"]["cohort"]["value_lists"][0]["matched"] == 2
    assert any("are not forgotten, although their patients may have" in warning for warning in card["warnings"])
    text = (tmp_path / "out" / "evidence" / "model_card_diff.html").read_text(encoding="utf-8")
    assert "Why they are left out: They are phantoms." in text
    assert "2 of 2 values of [… 2 values] (patient) occur in the index" in text


def test_a_missing_reference_is_named(tiny, tmp_path):
    with pytest.raises(ConfigError, match="reference: there is no file nowhere.pt. Give --reference retrain"):
        tiny.judged(tmp_path / "out", reference="nowhere.pt")


def test_a_warning_says_that_training_images_are_unknown(tiny, tmp_path):
    shutil.copy(tiny.checkpoint, tmp_path / "model.pt")
    tiny.unlearn(tmp_path / "out", checkpoint=str(tmp_path / "model.pt"))
    assert "come without a training record" in read(tmp_path / "out", "metrics.json")["warnings"][-1]


def test_a_warning_says_that_the_index_holds_other_images(tiny, tmp_path):
    frame = write_images(tmp_path / "images", patients=30)
    tiny_index(tmp_path, frame=frame)
    tiny.unlearn(tmp_path / "out", index_dir=str(tmp_path / "index"))
    assert "names other images than this index holds" in read(tmp_path / "out", "metrics.json")["warnings"][-1]


def test_undetermined_images_are_used_for_neither(tiny, tmp_path):
    frame = write_images(tmp_path / "images")
    frame.loc[:3, "ManufacturerModelName"] = None
    tiny_index(tmp_path, frame=frame)
    tiny.unlearn(tmp_path / "out", index_dir=str(tmp_path / "index"))
    counts = read(tmp_path / "out", "metrics.json")["counts"]
    assert sum(counts["undetermined"].values()) == 4
    assert any("undetermined" in line for line in read(tmp_path / "out", "metrics.json")["warnings"])


def test_a_method_that_does_not_suit_the_cohort_is_warned_of_in_the_run_and_on_the_card(revised):
    warning = "The method psg is not known to suit this cohort (images of a device"
    for name in ("metrics.json", "model_card_diff.json"):
        assert any(text.startswith(warning) for text in read(revised[0], name)["warnings"])


def test_input_is_read_into_the_network_and_leaves_settings_and_disk_as_they_were(tiny, tmp_path):
    settings = tiny.revision(tmp_path / "out")
    base, retraining = settings.base, settings.retraining
    known = RevisionInput(settings)
    assert weights_digest(settings.network.state_dict()) == known.record["weights_digest"]
    assert known.retraining is settings.retraining is retraining
    assert (settings.base, known.base.successors) == (base, ())
    assert (known.snapshots, known.composed, known.calibrating, known.applied) == ([], (), None, None)
    assert set(known.evaluated) == set(settings.subsets)
    assert known.calibration_images == 0
    assert list(tmp_path.iterdir()) == []


def test_networks_are_retrained_as_the_original_was_trained(tiny, tmp_path):
    settings = tiny.revision(tmp_path / "out", reference="retrain", reference_seeds=2)
    known = RevisionInput(settings)
    assert known.wanted.seeds == (1, 2)
    assert (known.record["epochs"], known.retraining.overrides["max_epochs"]) == (3, 3)
    assert "max_epochs" not in settings.retraining.overrides


def test_snapshots_are_read_for_a_method_that_goes_back_to_them(tmp_path):
    (tmp_path / "snapshots").mkdir()
    (tmp_path / "snapshots" / "epoch-1.pt").write_bytes(b"weights")
    digest = f"sha256:{hashlib.sha256(b'weights').hexdigest()}"
    record = {"snapshots": [{"file": "snapshots/epoch-1.pt", "epoch": 1, "digest": digest}]}

    def found(*needs):
        settings = SimpleNamespace(info=SimpleNamespace(needs=needs), checkpoint_path=tmp_path / "model.pt")
        return RevisionInput._snapshots(SimpleNamespace(settings=settings, record=record))

    assert found("snapshots") == [tmp_path / "snapshots" / "epoch-1.pt"]
    assert found() == []
