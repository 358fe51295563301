from __future__ import annotations

import json

import pytest
import torch
from bundle_run import run
from ignite.engine import Engine
from torch import nn

from monai_unlearn.engine.snapshots import kept_snapshots, snapshot_epochs, snapshots_of
from monai_unlearn.engine.training_record import record_of
from monai_unlearn.errors import ConfigError
from monai_unlearn.release import load_weights


@pytest.mark.parametrize(
    ("count", "epochs", "expected"),
    [(0, 20, []), (1, 20, [10]), (3, 20, [5, 10, 15]), (5, 5, [1, 2, 3, 4]), (2, 1, []), (3, 10, [2, 5, 8])],
)
def test_epochs_are_evenly_spaced_and_the_last_is_left_out(count, epochs, expected):
    assert snapshot_epochs(count, epochs) == expected


def trained(folder, count, *, epochs=4, fails_at=None):
    """Train for some epochs of one step, which adds one to the bias, and keep snapshots."""
    network = nn.Linear(1, 1)
    nn.init.zeros_(network.bias)

    def step(engine, _batch):
        if engine.state.epoch == fails_at:
            raise RuntimeError("killed")
        with torch.no_grad():
            network.bias += 1

    engine = Engine(step)
    engine.network = network
    with kept_snapshots(engine, folder / "model.pt", count) as kept:
        engine.run([0], max_epochs=epochs)
    return {"snapshots": kept}


def test_snapshots_hold_the_weights_of_their_epochs(tmp_path):
    record = trained(tmp_path, 3)
    files = snapshots_of(tmp_path / "model.pt", record)
    assert [path.name for path in files] == ["epoch-1.pt", "epoch-2.pt", "epoch-3.pt"]
    assert [load_weights(nn.Linear(1, 1), path).bias.item() for path in files] == [1, 2, 3]
    assert [path.name for path in tmp_path.iterdir()] == ["snapshots"]


def test_a_training_that_fails_leaves_the_snapshots_of_the_one_before(tmp_path):
    record = trained(tmp_path, 1)
    with pytest.raises(RuntimeError, match="killed"):
        trained(tmp_path, 3, fails_at=3)
    assert [path.name for path in snapshots_of(tmp_path / "model.pt", record)] == ["epoch-2.pt"]
    assert [path.name for path in tmp_path.iterdir()] == ["snapshots"]


def test_another_training_replaces_them_and_what_a_killed_one_left(tmp_path):
    trained(tmp_path, 3)
    (tmp_path / ".snapshots.partial-x").mkdir()
    assert trained(tmp_path, 0) == {"snapshots": []}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("change", [lambda path: path.write_bytes(b"other"), lambda path: path.unlink()])
def test_a_changed_or_missing_file_is_refused(tmp_path, change):
    """A gap would move the others: they are counted as evenly spaced."""
    record = trained(tmp_path, 2)
    change(tmp_path / "snapshots" / "epoch-1.pt")
    with pytest.raises(ConfigError, match=r"epoch-1.pt is missing or not the file that training wrote"):
        snapshots_of(tmp_path / "model.pt", record)
    assert snapshots_of(tmp_path / "model.pt", {}) == []


@pytest.mark.parametrize("count", [-1, "two", 1.5, True])
def test_a_count_that_is_no_number_is_refused(tmp_path, count):
    with pytest.raises(ConfigError, match="snapshots: expected how many to keep"):
        trained(tmp_path, count)


def test_a_bundle_keeps_them_when_asked_and_its_references_do_not(tiny, tmp_path):
    checkpoint = tmp_path / "models" / "model.pt"
    run("train", "train.yaml", index_dir=str(tiny.index), checkpoint=str(checkpoint), max_epochs=3, snapshots=2)
    record = record_of(checkpoint)
    assert [one["file"] for one in record["snapshots"]] == ["snapshots/epoch-1.pt", "snapshots/epoch-2.pt"]
    assert not any(name.startswith("snapshots") for name in record["recipe"])
    assert len(snapshots_of(checkpoint, record)) == 2
    # The recipe is the same with and without them, so that both weights may have the same references.
    assert record["recipe"] == record_of(tiny.checkpoint)["recipe"]
    out = tmp_path / "out"
    tiny.unlearn(out, checkpoint=str(checkpoint), reference="retrain", reference_seeds=1)
    assert list(tmp_path.rglob("snapshots")) == [checkpoint.with_name("snapshots")]
    assert "snapshots" not in json.loads((out / "rejected_bundle" / "models" / "training.json").read_text())
