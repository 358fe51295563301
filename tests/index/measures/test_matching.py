from __future__ import annotations

import pandas as pd
import pytest

from monai_unlearn.index.listing import Listed
from monai_unlearn.index.measures.matching import Images, stem
from monai_unlearn.index.measures.reading import Target

RELATIVE = ["a/scan.png", "b/scan.png", "b/Other.nii.gz", "eye_seg.jpg", "eye.jpg", "c/1.2.840.10", "broken.png"]
FRAME = pd.DataFrame(
    {
        "image_id": [f"i{number}" for number in range(7)],
        "relative": RELATIVE,
        "series": ["s0", "s0", "s1", None, None, "s2", "s0"],
        "study": ["t0", "t0", "t0", None, None, "t1", "t0"],
        "fault": [None, None, "missing_patient_id", None, None, None, "truncated"],
    }
).astype("string")


def _found(mask: str = "x.nii.gz", target: Target | None = None) -> list[int]:
    return sorted(Images(FRAME).of(target, Listed(path=f"/m/{mask}", relative=mask)))


@pytest.mark.parametrize(
    ("mask", "rows"),
    [
        ("Other.nii.gz", [2]),
        ("Other_seg.nii.gz", [2]),
        ("Other_dseg.nii", [2]),
        ("Other_mask.nii.gz", [2]),
        ("far/away/Other_label.nii.gz", [2]),
        ("Other_label", [2]),
        ("other_seg.nii.gz", []),
        ("Other_SEG.nii.gz", []),
        ("Other_contour.nii.gz", []),
        ("Other_seg_seg.nii.gz", []),
        ("1.2.840.10_seg.nii.gz", [5]),
        ("1.2.840.10.nii.gz", [5]),
        ("1.2.840.nii.gz", []),
        ("broken_seg.nii.gz", []),  # its image does not count
    ],
)
def test_mask_has_the_stem_of_its_image_with_an_optional_suffix(mask, rows):
    assert _found(mask) == rows


def test_whole_stem_takes_precedence_over_a_suffix():
    assert _found("eye_seg.nii.gz") == [3]
    assert _found("eye.nii.gz") == [4]
    assert _found("eye_mask.nii.gz") == [4]
    assert _found("eye_seg_mask.nii.gz") == [3]


@pytest.mark.parametrize(
    ("mask", "rows"),
    [
        ("a/scan_seg.nii.gz", [0]),
        ("masks/b/scan_seg.nii.gz", [1]),
        ("b/masks/scan_seg.nii.gz", [1]),
        ("scan_seg.nii.gz", []),
        ("c/scan_seg.nii.gz", []),
        ("a/b/scan_seg.nii.gz", []),
    ],
)
def test_folders_decide_between_images_with_the_same_stem(mask, rows):
    assert _found(mask) == rows


def test_uids_find_usable_images_series_and_studies():
    assert _found(target=Target(images=frozenset(["i1", "i6", "i9"]))) == [1]
    assert _found(target=Target(series=frozenset(["s0"]))) == [0, 1]
    assert _found(target=Target(studies=frozenset(["t0", "t1"]))) == [0, 1, 2, 5]
    assert _found("a/scan.nii.gz", Target()) == []


@pytest.mark.parametrize(
    ("name", "expected"), [("a.nii.gz", "a"), ("a.b.png", "a.b"), (".png", ".png"), ("1.2.3", "1.2.3"), ("a", "a")]
)
def test_stem(name, expected):
    assert stem(name) == expected
