from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from measure_files import image_group, make_mask, make_seg, make_sr, number, save

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.measures.join import join_measures, refuse_overlap
from monai_unlearn.index.measures.labels import MaskLabels

ONE = np.zeros((3, 3, 3), np.uint8)
ONE[1, 1, 1] = 1


@pytest.fixture
def slices(make_slices):
    return make_slices()


@pytest.fixture
def frame(slices) -> pd.DataFrame:
    """Rows of four slices and of two plain images, the last one faulty."""
    return pd.DataFrame(
        {
            "image_id": [image.SOPInstanceUID for image in slices] + ["x", "y"],
            "path": [f"/d/{name}" for name in ("0.dcm", "1.dcm", "2.dcm", "3.dcm", "x.png", "y.png")],
            "relative": ["0.dcm", "1.dcm", "2.dcm", "3.dcm", "x.png", "y.png"],
            "series": [slices[0].SeriesInstanceUID] * 4 + [None, None],
            "study": [slices[0].StudyInstanceUID] * 4 + [None, None],
            "fault": [None] * 5 + ["truncated"],
            "Area": ["5"] * 6,
        },
        dtype="string",
    )


@pytest.fixture
def join(frame, tmp_path):
    def run(*names: str):
        return join_measures(frame, [tmp_path / name for name in names], MaskLabels({1: "iris"}), track=iter)

    return run


def test_without_measures_rows_are_unchanged(frame, join):
    measured = join()
    assert measured.frame is frame
    assert (measured.units, measured.origins, measured.matches) == ({}, {}, ())


def test_measures_of_every_kind_become_columns(slices, join, tmp_path):
    make_mask(tmp_path / "masks" / "x_seg.nii.gz", ONE)
    seg = make_seg(slices, np.ones((4, 6, 8)), {1: "Liver"})
    report = make_sr([image_group([number("Width", 7.5)], slices[1:2])], slices)
    save(tmp_path / "objects", [seg, report])
    measured = join("masks", "objects")
    rows = measured.frame.set_index("relative")
    assert rows["iris_volume"].tolist() == [pd.NA] * 4 + [0.001, pd.NA]
    assert rows["liver_volume"].dropna().tolist() == [pytest.approx(4 * 48 * 3 / 1000)] * 4
    assert rows["width"].tolist() == [pd.NA, 7.5] + [pd.NA] * 4
    assert measured.units["liver_centroid_x"] == "mm"
    assert {measured.origins[name] for name in ("iris_volume", "liver_volume", "width")} == {"mask:masks", "SEG", "SR"}
    masks, objects = measured.matches
    assert masks.files == {"NIfTI": 1}
    assert objects.files == {"SEG": 1, "SR": 1}
    assert (masks.images_with_measures, masks.images_without_measures) == (1, 4)
    assert objects.columns[-1] == "width"


def test_unmatched_and_faulty_files_are_counted_and_reported(join, tmp_path):
    for name in ("x", *"abcdefg", "y"):
        make_mask(tmp_path / "masks" / f"{name}.nii.gz", ONE)
    for name in ("1.json", "2.json"):
        (tmp_path / "masks" / name).write_text("{}", encoding="utf-8")
    make_mask(tmp_path / "masks" / "half.nii", ONE + np.float32(0.5))
    (match,) = join("masks").matches
    assert (match.matched_files, match.unmatched_files) == (1, 8)
    assert match.unmatched_paths == tuple(str(tmp_path / "masks" / f"{name}.nii.gz") for name in "abcde")
    assert {code: fault["count"] for code, fault in match.faults.items()} == {"not_a_label_map": 1, "not_measures": 2}
    assert match.faults["not_measures"]["example"] == str(tmp_path / "masks" / "1.json")
    assert match.document()["faults"]["not_a_label_map"]["sentence"].startswith("is not a label map")


def test_value_that_files_contradict_is_missing_and_reported(join, tmp_path):
    make_mask(tmp_path / "one" / "x_seg.nii.gz", ONE)
    make_mask(tmp_path / "two" / "x_mask.nii.gz", np.roll(ONE, 1, axis=0))
    measured = join("one", "two")
    assert measured.frame["iris_volume"].tolist()[4] == 0.001
    assert measured.frame["iris_centroid_x"].isna().all()
    one, two = measured.matches
    assert one.conflicts == 0
    assert two.conflicts == 2
    assert two.conflicting_columns == ("iris_asymmetry", "iris_centroid_x")
    assert two.conflicting_images == ("/d/x.png",)
    assert measured.origins["iris_volume"] == "mask:one, mask:two"


def test_file_in_two_paths_is_read_once(join, tmp_path):
    path = make_mask(tmp_path / "masks" / "x.nii", ONE)
    folder, again, file = join("masks", "masks", "masks/x.nii").matches
    assert (folder.files, folder.matched_files) == ({"NIfTI": 1}, 1)
    assert (file.path, file.files, file.matched_files) == (str(path), {}, 0)
    assert again == folder


def test_reports_in_other_units_are_converted_to_the_first(slices, join, tmp_path):
    save(tmp_path, [make_sr([image_group([number("Width", 7.5)], slices[:1])], slices, "a")], "a")
    save(tmp_path, [make_sr([image_group([number("Width", 1.5, "cm")], slices[1:2])], slices, "b")], "b")
    measured = join("a0.dcm", "b0.dcm")
    assert measured.frame["width"].tolist()[:2] == [7.5, 15.0]
    assert measured.units["width"] == "mm"
    save(tmp_path, [make_sr([image_group([number("Width", 1.5, "ml")], slices[1:2])], slices, "b")], "b")
    with pytest.raises(IndexReadError, match="'width' is in ml in one file and in mm in another"):
        join("a0.dcm", "b0.dcm")


def test_unknown_unit_is_counted_once_per_file(slices, join, tmp_path):
    group = image_group([number("Width", 7.5), number("a", 1, "blorb"), number("b", 1, "blorb")], slices[:1])
    save(tmp_path, [make_sr([group, image_group([number("c", 1)])], slices)])
    (match,) = join("image0.dcm").matches
    assert match.faults["unknown_unit"]["count"] == 1
    assert match.columns == ("c", "width")


def test_measure_with_the_name_of_a_column_is_refused(slices, join, tmp_path):
    save(tmp_path, [make_sr([image_group([number("Area", 7.5)], slices[:1])], slices)])
    with pytest.raises(IndexReadError, match=r"already has a column named 'Area', like the measure 'area' \(SR\)"):
        join("image0.dcm")


def test_path_without_any_match_is_refused(join, tmp_path):
    make_mask(tmp_path / "masks" / "q.nii", ONE)
    (tmp_path / "masks" / "a.txt").write_text("words", encoding="utf-8")
    with pytest.raises(
        IndexReadError, match=r"masks: no file is about an image .*: 1 match none, 1 not_measures\. A N"
    ):
        join("masks")


def test_missing_path_and_faulty_file_that_was_named_are_refused(join, tmp_path):
    with pytest.raises(IndexReadError, match="absent: expected a file or folder"):
        join("absent")
    (tmp_path / "a.txt").write_text("words", encoding="utf-8")
    with pytest.raises(IndexReadError, match=r"a.txt: this file is neither a NIfTI mask, .* \(not_measures\)"):
        join("a.txt")


@pytest.mark.parametrize(("measures", "source"), [("d", "d"), ("d", "d/images"), (".", "d"), ("link", "d/images")])
def test_measures_that_contain_a_source_are_refused(measures, source, tmp_path):
    (tmp_path / "d" / "images").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "d")
    with pytest.raises(IndexReadError, match="this contains the source .*, but files of measures are never images"):
        refuse_overlap([tmp_path / measures], [tmp_path / source])


def test_measures_within_or_next_to_a_source_are_accepted(tmp_path):
    refuse_overlap([tmp_path / "d" / "masks", tmp_path / "dd"], [tmp_path / "d"])
