from __future__ import annotations

import numpy as np
import pytest

from monai_unlearn.phantom.vessels import grow

DISC, MACULA = np.array([0.66, 0.0]), np.array([0.0, 0.0])


@pytest.fixture(scope="module")
def trees():
    return [grow(np.random.default_rng(seed), disc=DISC, macula=MACULA) for seed in range(8)]


def test_the_same_generator_grows_the_same_vessels(trees):
    again = grow(np.random.default_rng(0), disc=DISC, macula=MACULA)
    assert all(np.array_equal(a.points, b.points) for a, b in zip(again, trees[0], strict=True))


def test_no_vessel_enters_the_fovea(trees):
    distances = [np.hypot(*(vessel.points - MACULA).T).min() for tree in trees for vessel in tree]
    assert min(distances) >= 0.16


def test_trees_of_both_kinds_leave_the_disc_and_branch(trees):
    for tree in trees:
        from_disc = [np.hypot(*(vessel.points[0] - DISC)) < 0.08 for vessel in tree]
        assert sum(from_disc) >= 8
        assert len(tree) > 3 * sum(from_disc)
        assert {vessel.artery for vessel in tree} == {True, False}


def test_every_branch_begins_on_another_vessel(trees):
    tree = trees[0]
    for vessel in tree:
        others = np.concatenate([DISC[None]] + [other.points for other in tree if other is not vessel])
        assert np.hypot(*(others - vessel.points[0]).T).min() < 0.06


def test_arcades_pass_above_and_below_the_macula(trees):
    for tree in trees:
        points = np.concatenate([vessel.points for vessel in tree])
        temporal = points[np.abs(points[:, 0]) < 0.1]
        assert temporal[:, 1].min() < -0.25
        assert temporal[:, 1].max() > 0.25


def test_arteries_are_thinner_than_veins(trees):
    stems = [vessel for tree in trees for vessel in tree if len(vessel.points) > 50]
    arteries = np.mean([vessel.width for vessel in stems if vessel.artery])
    assert arteries < 0.85 * np.mean([vessel.width for vessel in stems if not vessel.artery])
