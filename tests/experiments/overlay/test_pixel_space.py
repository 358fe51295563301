from __future__ import annotations

import pytest

from monai_unlearn.experiments.overlay.pixel_space import PixelValues, pixel_values

LOAD = {"_target_": "LoadImaged", "keys": "image"}
OWN = {"_target_": "monai_unlearn.data.LoadImage2Dd", "keys": "image"}
FIXED = {"_target_": "NormalizeIntensityd", "subtrahend": "@mean", "divisor": [0.25]}


@pytest.mark.parametrize(
    ("steps", "value_range", "expected"),
    [
        ([LOAD, {"_target_": "ScaleIntensityd", "minv": 0, "maxv": 1}], None, PixelValues(source="ScaleIntensityd")),
        ([{"_target_": "ScaleIntensityd", "minv": -1, "maxv": 1}], None, PixelValues(low=-1, source="ScaleIntensityd")),
        ([{"_target_": "ScaleIntensityd", "minv": None, "maxv": None, "factor": 0.1}], [0, 255], PixelValues(high=255)),
        ([{"_target_": "ScaleIntensityD", "minv": -1}], None, PixelValues(low=-1, source="ScaleIntensityD")),
        ([{"_target_": "ScaleIntensityDict", "minv": -1}], None, PixelValues(low=-1, source="ScaleIntensityDict")),
        (
            [{"_target_": "ScaleIntensityRangePercentilesd", "b_min": 0, "b_max": 2}],
            None,
            PixelValues(high=2, source="ScaleIntensityRangePercentilesd"),
        ),
        ([OWN, FIXED], [0, 255], PixelValues(mean="@mean", std=[0.25], source="NormalizeIntensityd")),
        (
            [LOAD, {"_target_": "NormalizeIntensityd", "nonzero": True}],
            None,
            PixelValues(low=-5, high=5, source="NormalizeIntensityd"),
        ),
        ([LOAD], [0, 255], PixelValues(high=255)),
        ([LOAD], [], PixelValues()),
        ([LOAD], ["a", None], PixelValues()),
        ([{"_target_": "ScaleIntensityRanged", "b_min": "$@low", "b_max": 1}], [0, 9], PixelValues(high=9)),
    ],
)
def test_the_last_transform_of_intensities_decides(steps, value_range, expected):
    assert pixel_values(steps, written=steps, value_range=value_range) == expected


@pytest.mark.parametrize(
    ("mean", "std", "expected"),
    [
        (None, None, (0.0, 1.0)),
        (0.5, [0.25], (-2.0, 2.0)),
        ([0.0, 0.5], 0.5, (-1.0, 2.0)),
        ([0.0, 0.5], [1.0, 0.5], (-1.0, 1.0)),
        ("@mean", [0.25], None),
        ([0.0, 0.5], [1.0, 1.0, 1.0], None),
        (0.5, 0.0, None),
    ],
)
def test_inputs_follow_from_pixels(mean, std, expected):
    assert PixelValues().input_range(mean, std) == expected


def test_what_is_normalised_by_its_own_mean_says_so():
    assert PixelValues(low=-5, high=5).is_own_mean
    assert not PixelValues().is_own_mean
    assert PixelValues(high=255).has_range
    assert not PixelValues().has_range
