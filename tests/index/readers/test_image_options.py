from __future__ import annotations

from pathlib import Path

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.index.readers.image_options import ImageOptions, no_frame


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frame": -1}, "frame: expected the number of a frame, from 0, got -1"),
        ({"value_range": (1, 1)}, r"value_range: expected \[low, high\] with low < high, got \(1, 1\)"),
        ({"value_range": (1, 2, 3)}, "value_range: expected"),
        ({"background": 255}, "background: expected a grey level or an RGB colour, each from 0 to 1, got 255"),
        ({"background": (0, 0)}, "background: expected"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        ImageOptions(**options)


def test_options_in_range_are_kept():
    found = ImageOptions(frame=0, value_range=[-1000, 2000.5], background=(0, 0.5, 1))
    assert (found.frame, found.value_range, found.background) == (0, [-1000, 2000.5], (0, 0.5, 1))


def test_a_missing_frame_names_the_file_and_its_frames():
    assert str(no_frame(Path("a.tif"), 7, 3)).startswith(
        "a.tif: expected a frame of number 7, counted from 0, got a file with 3"
    )
