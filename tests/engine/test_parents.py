from __future__ import annotations

import pytest
import torch
from method_bench import small_network

from monai_unlearn.engine.parents import read_parents
from monai_unlearn.errors import ConfigError
from monai_unlearn.release import weights_digest


def digest(network):
    return weights_digest(network.state_dict())


@pytest.fixture
def given(tmp_path):
    """An original, and what a run is told of two revisions of it."""
    original = small_network(0)

    def entry(seed, **other):
        network = small_network(seed)
        path = tmp_path / f"{seed}.pt"
        torch.save(network.state_dict(), path)
        return {
            "weights": str(path),
            "version": f"0.{seed}.0",
            "weights_digest": digest(network),
            "base_weights_digest": digest(original),
            "gradient_evaluations": 10 * seed,
            "seconds": 0.5 * seed,
            **other,
        }

    return original, entry


def test_they_are_read_in_their_order_with_what_they_cost(given):
    original, entry = given
    a, b = read_parents([entry(2), entry(1)], original)
    assert (a.version, a.gradient_evaluations, b.seconds) == ("0.2.0", 20, 0.5)
    assert torch.equal(a.state["0.weight"], small_network(2)[0].weight)
    assert b.to_dict() == {"version": "0.1.0", "weights_digest": digest(small_network(1))}
    assert digest(original) == digest(small_network(0))


def test_the_original_may_be_one_of_them(given):
    original, entry = given
    a, _ = read_parents([entry(0, base_weights_digest=None), entry(1)], original)
    assert a.weights_digest == digest(original)


def test_no_parents_are_none(given):
    assert read_parents(None, given[0]) == read_parents([], given[0]) == ()


def test_other_weights_than_recorded_are_refused(given):
    original, entry = given
    with pytest.raises(ConfigError, match="2.pt holds other weights .* than those that are to be composed"):
        read_parents([entry(2, weights_digest=digest(original)), entry(1)], original)


def test_a_revision_of_another_original_is_refused(given):
    original, entry = given
    with pytest.raises(ConfigError, match="1.pt was revised from other weights .* --original BUNDLE"):
        read_parents([entry(2), entry(1, base_weights_digest=digest(small_network(5)))], original)


def test_the_same_network_twice_is_refused(given):
    original, entry = given
    with pytest.raises(ConfigError, match="two of the networks to compose have the same weights"):
        read_parents([entry(1), entry(1)], original)


def test_another_network_and_a_pickle_are_refused(given, tmp_path):
    original, entry = given
    one = entry(1)
    torch.save(torch.nn.Linear(2, 2).state_dict(), one["weights"])
    with pytest.raises(ConfigError, match="does not fit the bundle's network_def"):
        read_parents([one, entry(2)], original)
    torch.save(small_network(1), tmp_path / "1.pt")
    with pytest.raises(ConfigError, match="is not a state dict of tensors"):
        read_parents([one, entry(2)], original)


@pytest.mark.parametrize("wrong", ["0.1.0", [{"weights": "a.pt"}], ["a.pt"]])
def test_what_is_no_list_of_them_is_refused(given, wrong):
    with pytest.raises(ConfigError, match="parents: expected a list of mappings with weights, version, weights_digest"):
        read_parents(wrong, given[0])
