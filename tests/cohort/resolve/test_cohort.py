from __future__ import annotations

import gc
import json
import tracemalloc

import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort import SplitRule
from monai_unlearn.cohort.resolve.frozen import freeze
from monai_unlearn.errors import DataError
from monai_unlearn.vocabulary.fields import Kind

KINDS = {"device": Kind.TEXT, "diagnosis": Kind.TEXT}


@pytest.fixture
def index(tmp_path):
    columns = {
        "image_id": ["d", "c", "b", "a", "e", "f"],
        "patient": ["p1", "p1", "p2", None, "p3", "p3"],
        "device": ["old", "new", "new", "new", None, "old"],
        "diagnosis": ["amd", "normal", "normal", None, "amd", "[b]"],
        "fault": [None, None, None, None, None, "truncated"],
    }
    return make_index(tmp_path / "index", columns, KINDS, label="diagnosis")


@pytest.fixture
def cohort(index):
    return make_spec("device == old").resolve(index)


def test_parts_are_frames_of_the_index_sorted_by_image(cohort, index):
    assert cohort.remain["image_id"].tolist() == ["a", "b", "c"]
    assert list(cohort.forget.columns) == list(index.columns)
    assert cohort.forget["image_id"].tolist() == ["d"]
    assert cohort.undetermined["image_id"].tolist() == ["e"]


def test_the_preview_counts_and_names_nobody(cohort, index):
    assert cohort.preview() == {
        "name": "test",
        "reason": "other",
        "spec_digest": cohort.spec.digest,
        "index_digest": index.digest,
        "images": {"forget": 1, "remain": 3, "undetermined": 1},
        "patients": {"forget": 1, "remain": 2, "undetermined": 1},
        "patients_in_both": 1,
        "attrition": [row.to_dict() for row in cohort.attrition],
        "classes": {
            "amd": {"forget": 1, "remain": 0, "undetermined": 1},
            "normal": {"forget": 0, "remain": 2, "undetermined": 0},
            "(no label)": {"forget": 0, "remain": 1, "undetermined": 0},
        },
        "classes_emptied": ["amd"],
        "strata": None,
        "value_lists": [],
        "compared": [{"field": "device", "how": "folded", "values": ["old"], "matters": False}],
        "variants": [],
        "notes": {},
        "warnings": [
            "1 image is undetermined and used for neither part.",
            "1 patient has images in the forget part and in the remain part.",
            "1 image of the remain part names no patient, and may belong to a patient who is forgotten.",
            "The class amd has no image left in the remain part.",
        ],
    }
    assert json.loads(json.dumps(cohort.preview())) == cohort.preview()


def test_the_manifest_holds_counts_and_digests_and_names_nobody(cohort, index):
    manifest = cohort.manifest
    rules = ["device == old"]
    whole = {"digest": cohort.spec.digest, "whole": True, "content": cohort.spec.to_dict(), "rules": rules}
    assert manifest["spec"] == whole
    assert manifest["index_digest"] == index.digest
    assert manifest["images"] == cohort.images
    assert manifest["patients_in_both"] == 1
    assert "p1" not in json.dumps(manifest)
    assert manifest["classes_emptied"] == ["amd"]
    assert manifest["warnings"] == cohort.preview()["warnings"]


def test_the_preview_of_a_stratified_sample_shows_what_it_drew(tmp_path):
    columns = {
        "device": ["old"] * 9 + ["new"],
        "diagnosis": ["amd"] * 6 + ["drusen"] + [None] * 2 + ["amd"],
    }
    index = make_index(tmp_path / "index", columns, KINDS)
    preview = make_spec("device == old", "sample: {count: 4, stratify: diagnosis}").resolve(index).preview()
    # Shares of 4: 2.67 of 6 images, 0.44 of 1, 0.89 of 2.
    assert preview["strata"] == {
        "count": 3,
        "empty": 1,
        "least_share": 0.0,
        "largest_share": 0.5,
        "images_without_value": 2,
    }
    assert preview["attrition"][-1]["rule"] == "sample: count 4 by image, stratified by diagnosis, seed 0"
    assert preview["warnings"][-2:] == [
        "The sample draws nothing from 1 of 3 strata.",
        (
            "2 images that the sample draws from have no value of diagnosis: a missing value counts as a value, and "
            "makes strata of its own."
        ),
    ]
    assert json.loads(json.dumps(preview)) == preview


def test_no_identifier_becomes_a_python_object_until_a_list_of_them_is_asked_for(tmp_path):
    """A million of them take seconds and gigabytes; Arrow's memory is not traced."""
    rows, letters = 1_000, 2_000

    def all_of(name, prefix):
        columns = {
            "image_id": [f"{prefix}{row:0{letters}d}" for row in range(rows)],
            "device": ["old", "new"] * (rows // 2),
            "patient": [f"p{row // 4}" for row in range(rows)],
        }
        index = make_index(tmp_path / name, columns, KINDS)
        gc.collect()
        tracemalloc.start()
        cohort = make_spec("device == old").resolve(index)
        cohort.preview()
        assert len(cohort.forget) == len(cohort.remain) == rows // 2
        freeze(cohort, tmp_path / f"{name}-frozen")
        peak = tracemalloc.get_traced_memory()[1]
        assert len(cohort.image_ids["forget"]) == rows // 2
        with_list = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak, with_list

    all_of("first", "1")  # also imports what is imported when it is needed
    peak, with_list = all_of("second", "2")
    assert peak < rows * letters / 2 < with_list


def test_a_cohort_cannot_be_changed(cohort):
    with pytest.raises(AttributeError, match="cannot assign"):
        cohort.attrition = ()


def test_items_of_a_part_and_split(index):
    cohort = make_spec("device == old").resolve(index)
    items = [item for split in ("train", "validation", "test") for item in cohort.datalist("remain", split)]
    assert sorted(item["image_id"] for item in items) == ["a", "b", "c"]
    by_id = {item["image_id"]: item for item in items}
    assert by_id["a"]["patient"] is by_id["a"]["label"] is None
    assert (by_id["b"]["patient"], by_id["b"]["label"]) == ("p2", "normal")


def test_items_follow_the_split_rule(index):
    cohort = make_spec("device == old").resolve(index)
    rule = SplitRule(seed=3, test_fraction=0.5)
    for item in cohort.datalist("remain", "test", rule=rule):
        assert rule.of(item["patient"] or f"image:{item['image_id']}") == "test"
    assert len(cohort.datalist("remain", "test", rule=rule)) + len(cohort.datalist("remain", "train", rule=rule)) == 3


def test_a_patient_may_not_straddle_splits_across_parts(tmp_path):
    columns = {"image_id": ["a", "b"], "patient": ["p", "p"], "device": ["old", "new"], "split": ["train", "test"]}
    index = make_index(tmp_path / "index", columns, {"device": Kind.TEXT, "split": Kind.TEXT})
    with pytest.raises(DataError, match="puts 1 patient into more than one split"):
        make_spec("device == old").resolve(index).datalist("forget", "train")
