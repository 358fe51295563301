from __future__ import annotations

import hashlib
import json
import shutil

import pytest
import torch

from monai_unlearn.engine.checkpoint import Checkpoints, checkpoint_folder, exclusive_lock
from monai_unlearn.errors import ConfigError

ASKED = {"config": {"seed": 0, "learning_rate": 0.1}, "weights_digest": "sha256:1"}


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(checkpoint_folder(tmp_path / "out"), ASKED)


def test_the_latest_state_is_loaded(checkpoints, tmp_path):
    assert checkpoints.load_state("updates") is None
    for step in range(12):
        checkpoints.save_state("updates", {"step": step, "weights": torch.full((2,), step), "notes": ["a", None, 0.5]})
    found = Checkpoints(checkpoints.folder, ASKED)
    found.check()
    state = found.load_state("updates")
    assert (state["step"], state["weights"].tolist(), state["notes"]) == (11, [11, 11], ["a", None, 0.5])
    assert sorted(path.name for path in checkpoints.folder.iterdir()) == ["fingerprint.json", "updates.000012"]
    checkpoints.remove()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_created_before_there_is_a_state_to_save(checkpoints, tmp_path):
    checkpoints.check()
    assert list(tmp_path.iterdir()) == []


def test_a_half_written_state_does_not_count(checkpoints):
    checkpoints.save_state("updates", {"step": 1})

    def killed(folder):
        (folder / "state.pt").write_bytes(b"half")
        raise KeyboardInterrupt("now")

    with pytest.raises(KeyboardInterrupt, match="now"):
        checkpoints.save("updates", killed)
    assert checkpoints.load_state("updates") == {"step": 1}
    checkpoints.save_state("updates", {"step": 2})
    assert checkpoints.load_state("updates") == {"step": 2}


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    "damage",
    [
        lambda state: flip(state / "state.pt"),
        lambda state: (state / "state.pt").unlink(),
        lambda state: (state / "more").write_text("added"),
        lambda state: (state / "digests.json").write_text("[]"),
        lambda state: (state / "digests.json").write_text("{"),
    ],
    ids=["flipped", "missing", "added", "no record", "no JSON"],
)
def test_a_damaged_state_is_refused(checkpoints, damage):
    damage(checkpoints.save_state("updates", {"weights": torch.arange(100.0)}))
    with pytest.raises(ConfigError, match=r"SHA-256 digest does not match.*Delete .*\.out\.checkpoint to start again"):
        checkpoints.load_state("updates")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"config": {"seed": 1, "learning_rate": 0.1}}, "another seed. Delete"),
        ({"config": {"seed": 0}}, "another learning_rate. Delete"),
        ({"weights_digest": "sha256:2"}, "another weights digest. Delete"),
        ({"tool_version": "9"}, "another tool version. Delete"),
    ],
)
def test_the_checkpoint_of_another_run_is_refused(checkpoints, change, named):
    checkpoints.save_state("updates", {})
    with pytest.raises(ConfigError, match=named):
        Checkpoints(checkpoints.folder, {**ASKED, **change}).check()


def test_a_state_copied_from_another_run_is_refused(checkpoints, tmp_path):
    other = Checkpoints(tmp_path / "other", {**ASKED, "weights_digest": "sha256:2"})
    foreign = other.save_state("updates", {"step": 9})
    checkpoints.save_state("search", {})
    shutil.copytree(foreign, checkpoints.folder / foreign.name)
    with pytest.raises(ConfigError, match="updates.000001 is of another run. Delete"):
        checkpoints.load_state("updates")


def test_code_in_a_checkpoint_is_never_run(checkpoints):
    state = checkpoints.save_state("updates", {"step": 1})
    torch.save({"step": print}, state / "state.pt")
    record = json.loads((state / "digests.json").read_text())
    record["files"]["state.pt"] = hashlib.sha256((state / "state.pt").read_bytes()).hexdigest()
    (state / "digests.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError, match="state.pt is not as a run wrote it"):
        checkpoints.load_state("updates")


def test_two_runs_never_write_to_one_folder(tmp_path):
    folder = checkpoint_folder(tmp_path / "out")
    with (
        exclusive_lock(folder),
        pytest.raises(ConfigError, match="another run is writing to this output folder"),
        exclusive_lock(folder),
    ):
        pytest.fail("the second run must not begin")
    with exclusive_lock(folder):
        pass
    assert list(tmp_path.iterdir()) == []
