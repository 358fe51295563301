from __future__ import annotations

import pytest
import torch
from bundle_run import BUNDLE
from evidence_example import evidence, predictions, subset
from run_files import read
from tiny import SPEC, tiny_index, tiny_spec
from torch import nn

from monai_unlearn.cohort import SplitRule
from monai_unlearn.cohort.resolve.frozen import Frozen
from monai_unlearn.data import open_data
from monai_unlearn.engine.outputs import Outcome, write_outputs
from monai_unlearn.methods import FineTune
from monai_unlearn.release import BundleInfo, check_sums, weights_digest
from monai_unlearn.release.contents import all_files
from monai_unlearn.release.sums import read_sums
from monai_unlearn.vocabulary.run_folder import STAYS, TRAVELS

SECRET = SPEC.replace("device_deprecation", "consent_withdrawal").replace(
    "ManufacturerModelName == Old", "patient in [patient-003, patient-005]"
)


def opened(folder, text=SPEC):
    tiny_index(folder)
    spec = tiny_spec(folder, text)
    return open_data(index_dir=folder / "index", cohort_spec=spec, class_names=("up", "down"))


def written(folder, *, verdict="erased", text=SPEC, **changes):
    """Write the outputs of a run that measured what `evidence` says."""
    found = evidence(original={"forget": 95, "remain": 90}, revised={"forget": 50, "remain": 90})
    data = opened(folder, text)
    plain = {
        "base": BundleInfo.read(BUNDLE),
        "base_digest": "sha256:" + "0" * 64,
        "base_record": {"images": 3},
        "bundle_settings": {"class_names": ["up", "down"], "image_size": [16, 16]},
        "data": data,
        "keyfile": None,
        "cohort": data.cohort,
        "split_rule": SplitRule(seed=2),
        "pixels": {},
        "doubtful": None,
        "network": nn.Linear(2, 2),
        "method": FineTune(),
        "recalibrated": True,
        "seed": 4,
        "config": {"method": {"_target_": "monai_unlearn.methods.FineTune"}, "seed": 4},
        "device": torch.device("cpu"),
        "steps": 12,
        "epochs": 2,
        "updates": {"ended_by": "plan"},
        "evidence": {**found, "verdict": verdict},
        "predictions": predictions({name: {("forget", "train"): subset(1, 2)} for name in ("original", "revised")}),
    }
    outcome = Outcome(**{**plain, **changes})
    (folder / "out").mkdir()
    write_outputs(outcome, folder / "out")
    return outcome, folder / "out"


@pytest.mark.parametrize(
    ("verdict", "bundle", "start"),
    [
        ("equivalent", "revised_bundle", "Unlearned cohort retire-old (device deprecation, 24 images) by "),
        ("inconclusive", "rejected_bundle", "NOT PROMOTED. Unlearned"),
        ("not_known", "rejected_bundle", "NOT PROMOTED. Unlearned"),
    ],
)
def test_only_a_result_that_was_promoted_can_be_deployed_by_its_name(tmp_path, verdict, bundle, start):
    _, out = written(tmp_path, verdict=verdict)
    assert [path.name for path in out.glob("*_bundle")] == [bundle]
    metadata = read(out / bundle / "configs", "metadata.json")
    assert metadata["changelog"][metadata["version"]].startswith(start)
    assert metadata["changelog"][metadata["version"]].endswith(f"Verdict: {verdict}.")


def test_the_run_record_follows_from_the_outcome(tmp_path):
    outcome, out = written(tmp_path)
    record = read(out, "run.json")
    assert (record["seed"], record["steps"], record["epochs"], record["config"]) == (4, 12, 2, dict(outcome.config))
    assert record["updates"] == {"ended_by": "plan"}
    cost = outcome.evidence["cost"]
    assert record["cost"] == cost
    assert record["base_training_record"] == {"images": 3}
    assert record["digests"]["base_weights"] == outcome.base_digest
    assert record["digests"]["revised_weights"] == weights_digest(outcome.network.state_dict())
    assert (record["machine"]["device"], record["machine"]["processes"]) == ("cpu", 1)


def test_the_card_is_beside_the_results_and_in_the_bundle(tmp_path):
    _, out = written(tmp_path)
    for name in ("model_card_diff.json", "model_card_diff.md", "model_card_diff.html"):
        assert (out / "evidence" / name).read_bytes() == (out / "revised_bundle" / "docs" / name).read_bytes()
    modification = read(out, "model_card_diff.json")["modification"]
    assert modification["cohort"]["forget"] == "ManufacturerModelName == Old"
    assert (modification["seed"], modification["method"]["recalibrated"]) == (4, True)
    assert modification["method"]["settings"] == {"_target_": "monai_unlearn.methods.FineTune"}


def test_the_bundle_has_the_settings_and_the_training_record_of_the_run(tmp_path):
    _, out = written(tmp_path)
    pred = read(out / "revised_bundle" / "configs", "metadata.json")["network_data_format"]["outputs"]["pred"]
    assert pred["channel_def"] == {"0": "up", "1": "down"}
    assert "\nimage_size: [16, 16]\n" in (out / "revised_bundle" / "configs" / "unlearn.yaml").read_text()
    record = read(out / "revised_bundle" / "models", "training.json")
    assert (record["images"], record["parent"]["version"]) == (3, BundleInfo.read(BUNDLE).version)


def test_every_file_of_the_bundle_has_its_sum(tmp_path):
    _, out = written(tmp_path)
    files = {path.relative_to(out / "revised_bundle").as_posix() for path in all_files(out / "revised_bundle")}
    assert set(read_sums(out / "revised_bundle")) == files - {"SHA256SUMS"}
    assert "lineage.json" in files
    check_sums(out / "revised_bundle")


def test_diagnostics_of_the_method_are_written(tmp_path):
    class Drawing(FineTune):
        def write_diagnostics(self, folder):
            folder.mkdir()
            (folder / "drawing.txt").write_text("a drawing")

    _, out = written(tmp_path, method=Drawing())
    assert (out / "evidence" / "plots" / "drawing.txt").is_file()


def test_a_method_that_was_built_in_python_is_named_by_its_class(tmp_path):
    _, out = written(tmp_path, config={})
    assert read(out, "model_card_diff.json")["modification"]["method"]["settings"] == {
        "_target_": "FineTune",
        "batch_norm": "remain",
        "distillation": 0.0,
        "temperature": 2.0,
    }


def test_people_who_withdrew_consent_are_named_nowhere(tmp_path):
    _, out = written(tmp_path, text=SECRET)
    for path in out.rglob("*"):
        if path.is_file():
            assert b"patient-00" not in path.read_bytes(), path
    assert read(out, "cohort_manifest.json")["spec"]["whole"] is False


def test_the_frozen_cohort_has_the_splits_of_the_run(tmp_path):
    outcome, out = written(tmp_path)
    frozen = Frozen.read(out / "evidence")
    assert frozen.manifest["split"] == SplitRule(seed=2).to_dict()
    expected = outcome.cohort.image_table(SplitRule(seed=2))
    assert {row["image_id"]: row["split"] for row in frozen.members.to_pylist()} == dict(
        zip(expected["image_id"], expected["split"], strict=True)
    )


def test_each_folder_says_whether_it_travels(tmp_path):
    _, out = written(tmp_path)
    assert STAYS in (out / "evidence" / "README.md").read_text(encoding="utf-8")
    assert TRAVELS in (out / "revised_bundle" / "README.md").read_text(encoding="utf-8")
