from __future__ import annotations

import pytest
import torch
from method_bench import context_of, same, small_items, small_network
from method_steps import assert_resumes_and_repeats
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import Rewind, info_of


@pytest.fixture
def kept(tmp_path):
    """Three snapshots, whose weights are those of other seeds."""
    paths = [tmp_path / f"snapshot-{number}.pt" for number in (1, 2, 3)]
    for number, path in enumerate(paths, 1):
        torch.save(small_network(number).state_dict(), path)
    return paths


@pytest.mark.parametrize(("at", "number"), [(0.25, 1), (0.5, 2), (0.7, 3), (0.01, 1), (0.375, 1), (1, 1), (3, 3)])
def test_it_starts_at_the_nearest_snapshot_or_the_one_named(kept, at, number):
    network = small_network()
    Rewind(at=at).prepare(context_of(network, small_items(), snapshots=kept))
    assert same(network.state_dict(), small_network(number).state_dict())


def test_it_repeats_and_resumes(kept):
    assert_resumes_and_repeats(lambda: Rewind(distillation=0.5), snapshots=kept)


def test_without_snapshots_it_says_how_to_get_them():
    with pytest.raises(
        ConfigError, match=r"rewind: expected snapshots .* got none\. Train it again with --snapshots N"
    ):
        Rewind().prepare(context_of(small_network(), small_items()))
    assert "--snapshots N" in info_of(Rewind()).cost
    assert info_of(Rewind()).needs == ("remain", "snapshots")


def test_a_snapshot_that_cannot_be_used_is_refused(kept, tmp_path):
    def prepare(at):
        Rewind(at=at).prepare(context_of(small_network(), small_items(), snapshots=kept))

    kept[0].write_bytes(b"no weights")
    torch.save(nn.Linear(2, 2).state_dict(), kept[1])
    kept[2] = tmp_path / "missing.pt"
    with pytest.raises(ConfigError, match=r"the snapshot snapshot-1\.pt cannot be read as a state dict of tensors"):
        prepare(1)
    with pytest.raises(ConfigError, match=r"the snapshot snapshot-2\.pt is not of the bundle's network_def"):
        prepare(2)
    with pytest.raises(ConfigError, match=r"the snapshot missing\.pt cannot be read .*FileNotFoundError"):
        prepare(3)
    with pytest.raises(ConfigError, match="at: 4 was given, but training kept 3 snapshots"):
        prepare(4)


@pytest.mark.parametrize("at", [0, -1, 1.5, True])
def test_what_is_no_moment_is_refused(at):
    with pytest.raises(ConfigError, match=r"rewind: expected at as a share of training in \(0, 1\) or the number"):
        Rewind(at=at)
