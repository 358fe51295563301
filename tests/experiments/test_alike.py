from __future__ import annotations

import pandas as pd
import pytest
from tiny import tiny_index, tiny_spec

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.experiments.alike import Likeness, attribute_of


def frame_of(patients, *, eyes=2, classes=("up", "down"), start=100):
    return pd.DataFrame(
        [
            {"image_id": f"{start + number}-{eye}", "patient": f"p{start + number}", "diagnosis": classes[number % 2]}
            for number in range(patients)
            for eye in range(eyes)
        ]
    )


@pytest.fixture
def like(tmp_path):
    return Likeness.of(CohortSpec.read(tiny_spec(tmp_path)).resolve(tiny_index(tmp_path)))


def test_it_is_about_patients_images_and_classes(like):
    assert (like.patients, like.images, like.classes) == (12, 24, {"up", "down"})


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (frame_of(12), None),
        (frame_of(6), None),
        (frame_of(24), None),
        (frame_of(5), "it has 5 patients, the real one 12"),
        (frame_of(25), "it has 25 patients, the real one 12"),
        (frame_of(10, eyes=1), "it has 10 images, the real one 24"),
        (frame_of(12, classes=("up", "up")), "it has 1 classes, the real one 2, or others"),
        (frame_of(12, classes=("up", "left")), "it has 2 classes, the real one 2, or others"),
    ],
)
def test_within_a_factor_of_two_and_of_the_same_classes(like, frame, said):
    assert like.differs(frame) == said


def test_no_image_is_shared(like):
    frame = frame_of(12)
    frame.loc[0, "image_id"] = min(like.image_ids)
    assert like.differs(frame) == "it shares 1 images with the real cohort"


@pytest.mark.parametrize(
    ("reason", "forget", "field"),
    [
        ("device_deprecation", "device == Old", "device"),
        ("other", "device == Old", "device"),
        ("consent_withdrawal", "device == Old", None),
        ("label_error", "device == Old", None),
        ("device_deprecation", "device == Old and exists(device)", None),
        ("device_deprecation", "not (device == Old)", None),
        ("device_deprecation", "patient == P1", None),
        ("device_deprecation", "age >= 60", None),
    ],
)
def test_a_value_of_a_field_is_what_one_comparison_says(reason, forget, field):
    text = f"schema_version: 1\nname: a\nreason: {reason}\nforget: {forget}\n"
    assert attribute_of(CohortSpec.parse(text)) == field
