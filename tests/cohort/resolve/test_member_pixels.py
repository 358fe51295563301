from __future__ import annotations

import pyarrow as pa
import pytest
from cohort_index import make_index

from monai_unlearn.cohort.resolve.member_pixels import compare_pixels, digest_of_pixels, pixels_in
from monai_unlearn.vocabulary.fields import Kind

IMAGES = pa.chunked_array([["i02", "i00"]])


def index(folder, *digests, faults=(None, None, None)):
    columns = {"pixel_digest": list(digests), "fault": list(faults)}
    return make_index(folder, columns, {"pixel_digest": Kind.TEXT})


def test_pixels_of_usable_images_are_found_by_identifier(tmp_path):
    found = pixels_in(index(tmp_path / "a", "x", "y", "z"), IMAGES)
    assert found.to_pylist() == [
        {"image_id": "i00", "pixel_digest": "x"},
        {"image_id": "i02", "pixel_digest": "z"},
    ]
    assert pixels_in(index(tmp_path / "b", "x", "y", "z", faults=("truncated", None, None)), IMAGES).num_rows == 1
    assert pixels_in(make_index(tmp_path / "c", {"a": [None] * 3}, {"a": Kind.TEXT}), IMAGES) is None


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (("x", "y", "z"), {"compared": 2, "changed": 0, "same": True}),
        (("X", "y", "z"), {"compared": 2, "changed": 1, "same": False}),
        ((None, "y", "z"), {"compared": 1, "changed": 0, "same": True}),
    ],
)
def test_pixels_that_a_run_loaded_are_compared_image_by_image(now, expected, tmp_path):
    found = pixels_in(index(tmp_path / "a", *now), IMAGES)
    assert compare_pixels({"i00": "x", "i02": "z"}, None, IMAGES, found).to_dict() == expected


def test_pixels_of_all_are_compared_by_one_digest(tmp_path):
    frozen = digest_of_pixels(pixels_in(index(tmp_path / "a", "x", None, None), IMAGES))
    same, other, gone = (
        pixels_in(index(tmp_path / name, *digests, faults=faults), IMAGES)
        for name, digests, faults in [
            ("b", ("x", "y", None), (None, None, None)),
            ("c", ("x", "y", "z"), (None, None, None)),
            ("d", ("x", "y", "z"), (None, None, "truncated")),
        ]
    )
    assert compare_pixels({}, frozen, IMAGES, same).to_dict() == {"compared": 2, "changed": 0, "same": True}
    assert compare_pixels({}, frozen, IMAGES, other).to_dict() == {"compared": 2, "changed": None, "same": False}
    assert compare_pixels({}, frozen, IMAGES, gone) is None
    assert compare_pixels({}, None, IMAGES, same) is None
    assert compare_pixels({}, frozen, IMAGES, None) is None
