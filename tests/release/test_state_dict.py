from __future__ import annotations

import contextlib
import pickle
import random
import warnings
import zipfile

import pytest
import torch
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.release import save_weights, weights_digest
from monai_unlearn.release.state_dict import _tensors, file_weights_digest

TYPES = [
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.bool,
    torch.complex64,
    torch.complex128,
]


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_the_digest_is_that_of_torch(dtype, tmp_path):
    values = torch.arange(24).reshape(2, 3, 4).to(dtype)
    state = {
        "b": values,
        "a": values[0, 0, 1],
        "ä": values[:, 1:, ::2],
        "empty": values[:0],
        "t": values.permute(2, 0, 1),
    }
    torch.save(state, tmp_path / "model.pt")
    assert file_weights_digest(tmp_path / "model.pt") == weights_digest(state)


def test_networks_and_parameters(tmp_path):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 300))
    save_weights(network, tmp_path / "a.pt")
    torch.save(dict(network.named_parameters()), tmp_path / "b.pt")
    assert file_weights_digest(tmp_path / "a.pt") == weights_digest(network.state_dict())
    assert file_weights_digest(tmp_path / "b.pt") == weights_digest(dict(network.named_parameters()))


def test_weights_under_a_key(tmp_path):
    state = nn.Linear(2, 2).state_dict()
    torch.save({"model": {"state_dict": state}}, tmp_path / "model.pt")
    assert file_weights_digest(tmp_path / "model.pt") == weights_digest(state)
    itself: dict[str, object] = {}
    itself["model"] = itself
    torch.save(itself, tmp_path / "model.pt")
    with pytest.raises(ConfigError, match="cannot be read as a state dict of tensors"):
        file_weights_digest(tmp_path / "model.pt")


@pytest.mark.parametrize("content", [nn.Linear(1, 1), [torch.zeros(1)], {"a": {"b": torch.zeros(1)}}, 3])
def test_anything_else_is_refused(content, tmp_path):
    torch.save(content, tmp_path / "model.pt")
    with pytest.raises(ConfigError, match="cannot be read as a state dict of tensors"):
        file_weights_digest(tmp_path / "model.pt")


def test_nothing_is_executed(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"a": Bomb()}, tmp_path / "zip.pt")
    (tmp_path / "pickle.pt").write_bytes(pickle.dumps(Bomb()))
    (tmp_path / "ran").unlink(missing_ok=True)
    for name in ("zip.pt", "pickle.pt", "missing.pt"):
        with pytest.raises(ConfigError, match="cannot be read as a state dict of tensors"):
            file_weights_digest(tmp_path / name)
    assert not (tmp_path / "ran").exists()


def test_a_tensor_outside_its_storage_is_refused(tmp_path):
    torch.save({"a": torch.zeros(4)}, tmp_path / "model.pt")
    content = (tmp_path / "model.pt").read_bytes()
    place = content.index(b"K\x00K\x04\x85") + 1  # the offset
    description = content[content.index(b"\x80\x02") : content.index(b"\x80\x02") + 400]
    (tensor,) = _tensors(description.replace(b"K\x00K\x04\x85", b"K\x01K\x04\x85")).values()
    assert tensor.offset == 1
    assert content[place] == 0
    with zipfile.ZipFile(tmp_path / "model.pt") as archive, pytest.raises(ValueError, match="outside its storage"):
        tensor.content(archive, "model/")


def test_damage_never_ends_in_another_error(tmp_path):
    path = tmp_path / "model.pt"
    save_weights(nn.Linear(3, 2), path)
    content, expected, random_ = path.read_bytes(), file_weights_digest(path), random.Random(0)  # noqa: S311 - no secret
    for _ in range(300):
        place, bit = random_.randrange(len(content)), 1 << random_.randrange(8)
        path.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
        with contextlib.suppress(ConfigError):
            assert file_weights_digest(path).startswith("sha256:")
    path.write_bytes(content)
    assert file_weights_digest(path) == expected


def test_a_name_that_stands_for_two_entries_is_refused(tmp_path):
    """zipfile reads the last of two entries and torch the first: the digest would be of other weights than run."""
    path = tmp_path / "model.pt"
    torch.save({"w": torch.zeros(2)}, path)
    with zipfile.ZipFile(path) as archive:
        name = next(one for one in archive.namelist() if one.endswith("/data/0"))
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr(name, torch.ones(2).numpy().tobytes())
    with pytest.raises(ConfigError, match="cannot be read as a state dict of tensors"):
        file_weights_digest(path)
