from __future__ import annotations

import pytest

from monai_unlearn.cohort.resolve.variant_words import variant_words


@pytest.mark.parametrize(
    ("spellings", "images", "missed", "words"),
    [
        (1, 1, (1, 1), "“A␣␣B” (device) has 1 other spelling, in 1 image; it is not taken as equal."),
        (1, 5, (0, 0), "“A␣␣B” (device) has 1 other spelling, in 5 images; it is taken as equal."),
        (3, 1500, (3, 1500), "“A␣␣B” (device) has 3 other spellings, in 1,500 images; none is taken as equal."),
        (
            3,
            9,
            (2, 1),
            "“A␣␣B” (device) has 3 other spellings, in 9 images; 2 of them, in 1 image, are not taken as equal.",
        ),
    ],
)
def test_other_spellings_are_counted_in_words(spellings, images, missed, words):
    counted = {"spellings": missed[0], "images": missed[1]}
    entry = {"field": "device", "value": "A  B", "spellings": spellings, "images": images, "not_caught": counted}
    assert variant_words(entry) == words
