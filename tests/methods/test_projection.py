from __future__ import annotations

import numpy as np
import pytest
import torch

from monai_unlearn.methods.projection import Box

CENTRE = torch.rand(4, 3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
FAR = CENTRE + torch.randn(CENTRE.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_projects_onto_the_ball_and_the_valid_range():
    box = Box.around(CENTRE, 0.2, low=0.0, high=1.0)
    found = box.project(FAR).numpy()
    expected = np.clip(CENTRE.numpy() + np.clip((FAR - CENTRE).numpy(), -0.2, 0.2), 0, 1)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-15)
    assert (found != FAR.numpy()).any()


def test_the_projection_is_the_nearest_point_of_the_box():
    box = Box.around(CENTRE, 0.2, low=0.0, high=1.0)
    found = box.project(FAR)
    share = torch.rand(200, *CENTRE.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    others = box.lowest + share * (box.highest - box.lowest)
    assert (torch.linalg.vector_norm(others - FAR, dim=(1, 2, 3)) >= torch.linalg.vector_norm(found - FAR)).all()


def test_points_of_the_box_stay_where_they_are():
    box = Box.around(CENTRE, 0.2, low=0.0, high=1.0)
    inside = box.project(FAR)
    assert torch.equal(box.project(inside), inside)
    assert torch.equal(Box.around(CENTRE, 0.2).project(CENTRE), CENTRE)


@pytest.mark.parametrize(
    ("point", "direction", "expected"),
    [(0.5, 3.0, 0.2), (0.5, -3.0, 0.2), (0.6, 1.0, 0.1), (0.6, -1.0, 0.3), (0.5, 0.0, 0.0), (0.9, 1.0, 0.0)],
)
def test_slack_is_the_distance_left_along_the_sign(point, direction, expected):
    box = Box.around(torch.tensor([[0.5]]), 0.2)
    found = box.slack(torch.tensor([[point]]), torch.tensor([[direction]]))
    assert found.item() == pytest.approx(expected, abs=1e-6)


def test_slack_ends_at_the_valid_range():
    box = Box.around(torch.tensor([[0.9]]), 0.2, low=0.0, high=1.0)
    assert box.slack(torch.tensor([[0.9]]), torch.tensor([[1.0]])).item() == pytest.approx(0.1)
