"""Two revisions in a row: the second neither trains on what the first forgot, nor keeps it, nor compares with it."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

import pyarrow.parquet as pq
import pytest
from bundle_run import JUDGED, PLAIN, run, unlearn
from tiny import SPEC, tiny_index, tiny_spec, write_images

from monai_unlearn import engine
from monai_unlearn.cohort.lineage.document import Lineage
from monai_unlearn.data import open_data, subset_datasets
from monai_unlearn.engine import training
from monai_unlearn.engine.budget import retraining_cost
from monai_unlearn.engine.host import ours
from monai_unlearn.engine.lineage import check_lineage, check_not_forgotten, check_subsets, revised_record
from monai_unlearn.engine.trained_pixels import check_trained_pixels
from monai_unlearn.engine.training_record import check_original, images_digest, record_of
from monai_unlearn.errors import ConfigError, DataError, ExitCode
from monai_unlearn.evaluation import PredictionTable
from monai_unlearn.evaluation.decision import decide_again
from monai_unlearn.methods import PSG
from monai_unlearn.release.contents import SUMS
from monai_unlearn.vocabulary.bundle_files import METADATA
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

CLASSES = ("up", "down")
KEY = b"a key of thirty-two bytes or so."
# The first cohort withdraws three patients, each with two images; the second forgets two others.
FIRST = SPEC.replace("retire-old", "withdrawn").replace("device_deprecation", "consent_withdrawal")
FIRST = FIRST.replace("ManufacturerModelName == Old", "patient in [patient-002, patient-003, patient-006]")
SECOND = SPEC.replace("ManufacturerModelName == Old", "patient in [patient-007, patient-010]")
WITHDRAWN = {f"image-{number:03}{eye}" for number in (2, 3, 6) for eye in "LR"}


def revise(bundle: Path | None, out: Path, *, index: Path, spec: Path, **settings: Any) -> Path:
    """Revise a bundle, and return the revised one; without a bundle, the tiny model is revised."""
    places = {"index_dir": str(index), "cohort_spec": str(spec), "output_dir": str(out)}
    settings = {**PLAIN, **JUDGED, **places, **settings}
    try:
        unlearn(**({} if bundle is None else {"bundle": bundle}), **settings)
    except Exception as error:
        found = ours(error)
        if found is None:
            raise
        raise found from None
    return out / "rejected_bundle"


def spec_of(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return tiny_spec(folder, text)


@pytest.fixture(scope="module")
def first(tiny, tmp_path_factory) -> Path:
    """The results of a first revision, which had no key of the site."""
    folder = tmp_path_factory.mktemp("first")
    spec = spec_of(folder, FIRST)
    revise(None, folder / "out", index=tiny.index, spec=spec, checkpoint=str(tiny.checkpoint))
    return folder / "out"


@pytest.fixture
def drawn(monkeypatch) -> dict[str, set[str]]:
    """Record the images of every batch that a method or a training is given."""
    found: dict[str, set[str]] = {"forget": set(), "remain": set(), "training": set()}
    loss, count = PSG.loss, training._count_images

    def recorded(self, batch):
        for part in ("forget", "remain"):
            found[part] |= set(batch[part]["image_id"])
        return loss(self, batch)

    def counted(trainer):
        from ignite.engine import Events

        note = lambda engine: found["training"].update(engine.state.batch["image_id"])  # noqa: E731
        trainer.add_event_handler(Events.ITERATION_COMPLETED, note)
        return count(trainer)

    monkeypatch.setattr(PSG, "loss", recorded)
    monkeypatch.setattr(training, "_count_images", counted)
    return found


def test_the_first_revision_says_what_it_forgot(first):
    lineage = Lineage.read(first / "rejected_bundle")
    (entry,) = lineage.revisions
    assert (entry.cohort, entry.reason, entry.base_version, entry.version) == (
        "withdrawn",
        "consent_withdrawal",
        "0.1.0",
        "0.2.0",
    )
    assert (entry.images.forget, entry.images.remain, entry.patients.forget) == (6, 42, 3)
    manifest = json.loads((first / "evidence" / "cohort_manifest.json").read_text(encoding="utf-8"))
    assert (entry.spec_digest, entry.manifest_digest) == (manifest["spec"]["digest"], manifest["digest"])
    rows = pq.read_table(first / "evidence" / "lineage_members.parquet").to_pandas()
    assert rows.groupby("kind").size().to_dict() == {"image": 6, "pixels": 6, "patient": 3}
    assert (first / "evidence" / "lineage.key").stat().st_mode & 0o777 == 0o600


def test_neither_lineage_nor_members_name_anybody(first):
    texts = (first / "rejected_bundle" / "lineage.json").read_text(encoding="utf-8")
    texts += str(pq.read_table(first / "evidence" / "lineage_members.parquet").to_pydict())
    assert not [mark for mark in ("patient-0", "image-0", ".png") if mark in texts]


def test_a_second_revision_does_not_train_on_what_the_first_forgot(first, tiny, tmp_path, drawn):
    spec = spec_of(tmp_path, SECOND)
    wanted = {"reference": "retrain", "reference_seeds": 1}
    bundle = revise(first / "rejected_bundle", tmp_path / "out", index=tiny.index, spec=spec, **wanted)
    for part, images in drawn.items():
        assert images, part
        assert not images & WITHDRAWN, part
    metrics = json.loads((tmp_path / "out" / "evidence" / "metrics.json").read_text(encoding="utf-8"))
    assert sum(metrics["counts"]["remain"].values()) == 48 - 6 - 4
    assert any("6 of withdrawn (version 0.2.0)" in warning for warning in metrics["warnings"])
    # Whether they are still forgotten is judged, as an endpoint of its own.
    judged = {row["subset"] for row in metrics["decision"]["declared"]["endpoints"]}
    assert "earlier:0.2.0_train" in judged
    table = PredictionTable.read(tmp_path / "out" / "evidence" / "predictions.parquet")
    assert set(table.frame.loc[table.frame["part"] == "earlier:0.2.0", "image_id"]) == WITHDRAWN
    assert decide_again(RunFolder(tmp_path / "out")).to_metrics()["decision"] == metrics["decision"]
    # The images of the first cohort are a subset of their own, of every network.
    for model in ("original", "revised", "reference"):
        assert sum(subset["n"] for subset in metrics["models"][model]["earlier:0.2.0"].values()) == 6
    lineage = Lineage.read(bundle)
    assert [entry.cohort for entry in lineage.revisions] == ["withdrawn", "retire-old"]
    assert lineage.revisions[0] == Lineage.read(first / "rejected_bundle").revisions[0]
    assert lineage.revisions[1].forgotten_earlier.images == 6
    rows = pq.read_table(tmp_path / "out" / "evidence" / "lineage_members.parquet").to_pandas()
    assert rows.groupby(["revision", "kind"]).size().to_dict() == {
        ("0.2.0", "image"): 6,
        ("0.2.0", "patient"): 3,
        ("0.2.0", "pixels"): 6,
        ("0.3.0", "image"): 4,
        ("0.3.0", "pixels"): 4,
    }
    # No warning that the training record names other images: the revised bundle has a record of its own.
    assert not any("training record" in warning for warning in metrics["warnings"])


def test_the_revised_bundle_has_a_training_record_of_its_own(first, tiny):
    record = json.loads((first / "rejected_bundle" / "models" / "training.json").read_text(encoding="utf-8"))
    original = json.loads(tiny.checkpoint.with_name("training.json").read_text(encoding="utf-8"))
    settings = {"class_names": CLASSES, "split": original["split"], "bundle_root": first / "rejected_bundle"}
    data = open_data(index_dir=tiny.index, **settings)
    assert record["images"] == len(data.items(["remain"], "train")) < original["images"]
    assert record["images_digest"] != original["images_digest"]
    assert record["pixels_digest"] != original["pixels_digest"]
    assert record["parent"]["version"] == "0.1.0"
    assert (
        record["parent"]["weights_digest"] == Lineage.read(first / "rejected_bundle").revisions[0].base_weights_digest
    )
    assert record["lineage_digest"] == Lineage.read(first / "rejected_bundle").digest
    kept = {"epochs", "recipe", "seed", "parts", "split", "class_names"}
    assert {key: record[key] for key in kept} == {key: original[key] for key in kept}


def test_retraining_costs_no_more_for_a_bundle_that_was_revised(first, tiny):
    # The budget of the next revision is a share of what retraining on the images left would cost.
    record = json.loads((first / "rejected_bundle" / "models" / "training.json").read_text(encoding="utf-8"))
    original = json.loads(tiny.checkpoint.with_name("training.json").read_text(encoding="utf-8"))
    assert record["gradient_evaluations"] == record["epochs"] * record["images"] < original["gradient_evaluations"]
    assert record["seconds"] == pytest.approx(original["seconds"] * record["images"] / original["images"], abs=0.001)
    wanted = retraining_cost(original, remain=10)
    assert retraining_cost(record, remain=10) == pytest.approx(wanted)


def test_training_the_revised_bundle_again_leaves_out_what_was_forgotten(first, tiny, tmp_path, drawn):
    settings = {"index_dir": str(tiny.index), "max_epochs": 1, "checkpoint": str(tmp_path / "model.pt")}
    run("train", "train.yaml", bundle=first / "rejected_bundle", **settings)
    assert drawn["training"]
    assert not drawn["training"] & WITHDRAWN
    record = json.loads((tmp_path / "training.json").read_text(encoding="utf-8"))
    assert record["lineage_digest"] == Lineage.read(first / "rejected_bundle").digest


def test_renamed_files_and_later_images_of_a_withdrawn_patient_stay_out(first, tmp_path):
    frame = write_images(tmp_path / "pictures")
    renamed = frame["image_id"] == "image-002L"
    frame.loc[renamed, ["image_id", "patient"]] = ["another-name", "another-patient"]
    later = frame["image_id"] == "image-000L"
    frame.loc[later, "patient"] = "patient-003"
    data = opened(first / "rejected_bundle", tmp_path, frame)
    assert set(data.earlier.frame["image_id"]) == WITHDRAWN - {"image-002L"} | {"another-name"}
    assert data.earlier.later_images == 1
    assert not {"another-name", "image-000L"} & set(data.frame["image_id"])
    assert len(data.frame) == 48 - 6 - 1


def opened(bundle: Path, folder: Path, frame: pd.DataFrame | None = None, **settings: Any) -> Any:
    tiny_index(folder, frame=frame)
    return open_data(index_dir=folder / "index", class_names=CLASSES, bundle_root=bundle, **settings)


@pytest.fixture
def copy(first, tmp_path) -> Path:
    """A copy of the results of the first revision, without sums: whoever edits a bundle can remove them too."""
    shutil.copytree(first, tmp_path / "copy")
    (tmp_path / "copy" / "rejected_bundle" / SUMS).unlink()
    return tmp_path / "copy"


@pytest.mark.parametrize(
    ("remove", "message"),
    [
        ("lineage_members.parquet", "is missing: .* only this file tells which. .* --lineage_members FILE"),
        ("lineage.key", "expected the key that earlier revisions hashed with, got none, .* --keyfile FILE"),
    ],
)
@pytest.mark.parametrize("again", ["unlearn", "train"])
def test_missing_members_or_key_are_refused(again, remove, message, copy, tiny, tmp_path):
    (copy / "evidence" / remove).unlink()
    bundle = copy / "rejected_bundle"
    with pytest.raises(ConfigError, match=message) as caught:
        if again == "unlearn":
            revise(bundle, tmp_path / "out", index=tiny.index, spec=spec_of(tmp_path, SECOND))
        else:
            trained_again(bundle, tiny.index, tmp_path)
    assert caught.value.exit_code == ExitCode.BAD_INPUT == 2
    assert not (tmp_path / "out").exists()


def trained_again(bundle: Path, index: Path, folder: Path, **settings: Any) -> None:
    try:
        run("train", "train.yaml", bundle=bundle, index_dir=str(index), checkpoint=str(folder / "out"), **settings)
    except Exception as error:
        found = ours(error)
        if found is None:
            raise
        raise found from None


def test_members_and_key_may_lie_elsewhere(copy, tmp_path):
    for name in ("lineage_members.parquet", "lineage.key"):
        shutil.move(copy / "evidence" / name, tmp_path / f"kept-{name}")
    places = {"lineage_members": tmp_path / "kept-lineage_members.parquet", "keyfile": tmp_path / "kept-lineage.key"}
    assert len(opened(copy / "rejected_bundle", tmp_path, **places).earlier.frame) == 6


def test_another_key_is_refused(copy, tmp_path):
    (copy / "evidence" / "lineage.key").write_bytes(KEY)
    with pytest.raises(ConfigError, match="hashed with, got another key"):
        opened(copy / "rejected_bundle", tmp_path)


def test_a_changed_lineage_is_refused(copy, tmp_path):
    path = copy / "rejected_bundle" / "lineage.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"withdrawn"', '"nothing"'), encoding="utf-8")
    with pytest.raises(ConfigError, match="does not match its digest"):
        opened(copy / "rejected_bundle", tmp_path)


def test_changed_members_are_refused(copy, tmp_path):
    path = copy / "evidence" / "lineage_members.parquet"
    table = pq.read_table(path)
    pq.write_table(table.slice(1), path)
    with pytest.raises(ConfigError, match="the members of 0.2.0 are not those that the bundle's lineage.json was"):
        opened(copy / "rejected_bundle", tmp_path)


def test_a_lineage_that_was_removed_is_missed(copy, tiny, tmp_path):
    (copy / "rejected_bundle" / "lineage.json").unlink()
    with pytest.raises(ConfigError, match=r"lineage.json is missing: the training record of the weights says"):
        revise(copy / "rejected_bundle", tmp_path / "out", index=tiny.index, spec=spec_of(tmp_path, SECOND))
    with pytest.raises(ConfigError, match="lineage.json is missing"):
        trained_again(copy / "rejected_bundle", tiny.index, tmp_path)


def test_a_config_that_does_not_leave_them_out_is_refused(copy, tiny, tmp_path):
    for name in ("train", "unlearn"):
        config = copy / "rejected_bundle" / "configs" / f"{name}.yaml"
        text = config.read_text(encoding="utf-8")
        assert '  bundle_root: "@bundle_root"\n' in text
        config.write_text(text.replace('  bundle_root: "@bundle_root"\n', ""), encoding="utf-8")
    with pytest.raises(ConfigError, match="the config does not leave them out. Add to the section of `open_data`"):
        revise(copy / "rejected_bundle", tmp_path / "out", index=tiny.index, spec=spec_of(tmp_path, SECOND))
    with pytest.raises(ConfigError, match="the config does not leave them out"):
        trained_again(copy / "rejected_bundle", tiny.index, tmp_path)


def test_a_key_of_the_site_is_used_and_not_copied(tiny, tmp_path):
    key = tmp_path / "site.key"
    key.write_bytes(KEY)
    spec = spec_of(tmp_path, FIRST)
    settings = {"checkpoint": str(tiny.checkpoint), "keyfile": str(key)}
    bundle = revise(None, tmp_path / "out", index=tiny.index, spec=spec, **settings)
    assert not (tmp_path / "out" / "evidence" / "lineage.key").exists()
    with pytest.raises(ConfigError, match="expected the key .* got none"):
        open_data(index_dir=tiny.index, class_names=CLASSES, bundle_root=bundle)
    data = open_data(index_dir=tiny.index, class_names=CLASSES, bundle_root=bundle, keyfile=key)
    assert set(data.earlier.frame["image_id"]) == WITHDRAWN


def test_what_is_forgotten_again_is_not_trained_on(first, tiny, tmp_path):
    again = spec_of(tmp_path, FIRST.replace("patient-002, ", ""))
    data = open_data(
        index_dir=tiny.index, class_names=CLASSES, cohort_spec=again, bundle_root=first / "rejected_bundle"
    )
    assert data.earlier.counts == {"images": 2, "later_images": 0}
    assert data.earlier.named_again == WITHDRAWN - {"image-002L", "image-002R"}
    check_not_forgotten(data, ["remain"])
    with pytest.raises(DataError, match="images to train on were forgotten by earlier revisions of the bundle"):
        check_not_forgotten(data, ["forget", "remain"])


def test_what_is_forgotten_again_leaves_the_training_record_valid(first, tiny, tmp_path):
    # A patient who withdraws may have images that an earlier revision forgot: the weights never saw these.
    names = "patient in [patient-002, patient-003, patient-006, patient-007]"
    again = spec_of(tmp_path, SPEC.replace("ManufacturerModelName == Old", names))
    weights = first / "rejected_bundle" / "models" / "model.pt"
    record = record_of(weights)
    settings = {"cohort_spec": again, "split": record["split"], "bundle_root": first / "rejected_bundle"}
    data = open_data(index_dir=tiny.index, class_names=CLASSES, **settings)
    forgotten = {item["image_id"] for item in data.items(["forget"], "train")}
    assert forgotten & data.earlier.named_again
    assert check_original(record, weights.with_name("training.json"), data) == []
    check_trained_pixels(weights, record, data)
    lineage = Lineage.read(first / "rejected_bundle")
    revised = revised_record(record, data, parent={"version": "0.2.0"}, lineage=lineage)
    assert revised["images"] == record["images"] - len(forgotten - data.earlier.named_again)
    assert revised["images_digest"] == images_digest(data, ["remain", "undetermined"])


def test_an_unrevised_bundle_asks_nothing(tmp_path, tiny):
    data = open_data(index_dir=tiny.index, class_names=CLASSES, bundle_root=tmp_path)
    check_lineage(tmp_path, data)
    assert data.earlier.counts == {"images": 0, "later_images": 0}
    assert data.earlier.warnings() == []


def test_of_images_that_the_record_does_not_know_none_are_claimed(tiny, tmp_path, first):
    data = open_data(index_dir=tiny.index, class_names=CLASSES, cohort_spec=spec_of(tmp_path, FIRST))
    lineage = Lineage.read(first / "rejected_bundle")
    record = {"parts": ["forget", "remain"], "images": 7, "images_digest": "of another index", "pixels_digest": "x"}
    record |= {"gradient_evaluations": 70, "seconds": 1.5}
    found = revised_record(record, data, parent={"version": "0.1.0"}, lineage=lineage)
    assert (found["images"], found["images_digest"]) == (7, None)
    assert (found["gradient_evaluations"], found["seconds"]) == (70, 1.5)
    assert "pixels_digest" not in found
    assert revised_record({}, data, parent={}, lineage=lineage) == {}
    with pytest.raises(DataError, match="a revision needs data with a cohort spec"):
        revised_record(
            record, SimpleNamespace(**{**vars(data), "cohort": None, "items": data.items}), parent={}, lineage=lineage
        )


def test_a_version_that_was_set_back_is_refused(copy, tiny, tmp_path):
    path = copy / "rejected_bundle" / METADATA
    path.write_text(path.read_text(encoding="utf-8").replace('"version": "0.2.0"', '"version": "0.1.0"'))
    with pytest.raises(ConfigError, match="has a version 0.2.0 already, so its version was set back"):
        revise(copy / "rejected_bundle", tmp_path / "out", index=tiny.index, spec=spec_of(tmp_path, SECOND))
    assert not (tmp_path / "out").exists()


def test_subsets_without_what_was_forgotten_earlier_are_refused():
    """In Python, `Revision(subsets=…)` can leave it out, and nobody would see that it came back."""
    found = {
        ("earlier:0.2.0", "train"): ["a"],
        ("earlier:0.3.0", "validation"): ["b"],
        ("earlier:0.3.0", "test"): ["c"],
    }
    earlier = SimpleNamespace(parts=("earlier:0.2.0", "earlier:0.3.0"))
    data = SimpleNamespace(earlier=earlier, earlier_items=lambda part, split: found.get((part, split), []))
    plain = {(part, split): [] for part in ("forget", "remain") for split in ("train", "test")}
    with pytest.raises(ConfigError, match=r"got none of earlier:0.2.0 train, earlier:0.3.0 test: .*subset_datasets"):
        check_subsets(data, plain)
    check_subsets(data, {**plain, ("earlier:0.2.0", "train"): [], ("earlier:0.3.0", "test"): []})
    check_subsets(SimpleNamespace(earlier=SimpleNamespace(parts=())), plain)


def test_a_revision_refuses_them_before_anything_is_trained(first, tiny, tmp_path):
    spec = spec_of(tmp_path, SECOND)
    settings = {"index": tiny.index, "spec": spec, "subsets": "$engine.lacking(@data, @preprocessing)"}

    def lacking(data, transform):
        found = subset_datasets(data=data, transform=transform)
        return {subset: images for subset, images in found.items() if subset[0] in ("forget", "remain")}

    with (
        mock.patch.object(engine, "lacking", lacking, create=True),
        pytest.raises(ConfigError, match=r"got none of earlier:0.2.0 train"),
    ):
        revise(first / "rejected_bundle", tmp_path / "out", **settings)
    assert not (tmp_path / "out").exists()
