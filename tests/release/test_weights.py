from __future__ import annotations

import pickle

import pytest
import torch
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.release import load_weights, save_weights, weights_digest, write_sums


def network(seed: int, width: int = 3) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, width), nn.BatchNorm1d(width))


def test_goes_there_and_back(tmp_path):
    save_weights(network(0), tmp_path / "models" / "model.pt")
    found = load_weights(network(1), tmp_path / "models" / "model.pt")
    assert weights_digest(found.state_dict()) == weights_digest(network(0).state_dict())
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["model.pt"]


def test_the_bytes_depend_on_the_weights_and_the_name_alone(tmp_path):
    for folder in ("a", "b"):
        save_weights(network(0), tmp_path / folder / "model.pt")
    first, second = ((tmp_path / folder / "model.pt").read_bytes() for folder in ("a", "b"))
    assert first == second
    # The folder within the archive; another name would change the digests of files that are compared by their bytes.
    assert b".model.pt/data.pkl" in first


def test_the_digest_covers_names_types_shapes_and_values():
    base = {"a": torch.tensor([1.0, 2.0])}
    others = [
        {"b": base["a"]},
        {"a": base["a"].double()},
        {"a": base["a"][None]},
        {"a": torch.tensor([1.0, 2.5])},
        {"a": torch.tensor([1.0])},
    ]
    digests = {weights_digest(state) for state in (base, *others)}
    assert len(digests) == 6
    assert weights_digest({"a": torch.tensor([[1.0, 9.0], [2.0, 9.0]])[:, 0]}) == weights_digest(base)
    assert weights_digest({"n": torch.tensor(3)}) != weights_digest({"n": torch.tensor(4)})


def test_a_missing_file_says_how_to_get_it(tmp_path):
    with pytest.raises(ConfigError, match="there are no weights at .*model.pt. Train them first"):
        load_weights(network(0), tmp_path / "model.pt")


def test_pickled_code_is_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    (tmp_path / "model.pt").write_bytes(pickle.dumps(Bomb(), protocol=2))
    with pytest.raises(ConfigError, match="is not a state dict of tensors"):
        load_weights(network(0), tmp_path / "model.pt")
    torch.save({"0.weight": Bomb()}, tmp_path / "zip.pt")
    (tmp_path / "ran").unlink(missing_ok=True)
    with pytest.raises(ConfigError, match="is not a state dict of tensors"):
        load_weights(network(0), tmp_path / "zip.pt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"no weights at all"])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "model.pt").write_bytes(content)
    with pytest.raises(ConfigError, match="is not a state dict of tensors"):
        load_weights(network(0), tmp_path / "model.pt")


def test_weights_of_another_network_are_refused(tmp_path):
    save_weights(network(0, width=4), tmp_path / "model.pt")
    with pytest.raises(ConfigError, match="does not fit the bundle's network_def: .*shape"):
        load_weights(network(0), tmp_path / "model.pt")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["0.weight", "1.running_var"])
def test_values_that_are_not_finite_are_refused(tmp_path, value, name):
    state = network(0).state_dict()
    state[name].view(-1)[0] = value
    torch.save(state, tmp_path / "model.pt")
    with pytest.raises(ConfigError, match=rf"1 of \d values of {name} are NaN or infinite"):
        load_weights(network(0), tmp_path / "model.pt")


def test_every_file_of_a_release_is_compared_before_its_weights_are_read(tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "metadata.json").write_text("{}")
    save_weights(network(0), tmp_path / "models" / "model.pt")
    write_sums(tmp_path)
    load_weights(network(1), tmp_path / "models" / "model.pt")
    weights = tmp_path / "models" / "model.pt"
    content = weights.read_bytes()
    for place in range(0, len(content), len(content) // 20):
        weights.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(ConfigError, match="model.pt has the digest"):
            load_weights(network(1), weights)
    weights.write_bytes(content)
    (tmp_path / "configs" / "metadata.json").write_text("{ }")
    with pytest.raises(ConfigError, match="metadata.json has the digest"):
        load_weights(network(1), weights)
