from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort import SplitRule
from monai_unlearn.cohort.resolve.frozen import Frozen, freeze
from monai_unlearn.errors import CohortError
from monai_unlearn.vocabulary.fields import Kind

KINDS = {"device": Kind.TEXT, "remark": Kind.TEXT}
COLUMNS = {
    "device": ["old", "old", "new", "new", None],
    "remark": ["MARK-text", "b", "c", "MARK-text", "e"],
    "patient": ["MARK-0", "MARK-1", "MARK-2", "MARK-3", "MARK-4"],
    "image_id": [f"MARK-i{number}" for number in range(5)],
}


@pytest.fixture
def index(tmp_path):
    return make_index(tmp_path / "index", COLUMNS, KINDS)


def test_the_two_files_hold_the_cohort(index, tmp_path):
    cohort = make_spec("device == old").resolve(index)
    digest = freeze(cohort, tmp_path / "new" / "out", rule=SplitRule(seed=1))
    assert {path.name for path in (tmp_path / "new" / "out").iterdir()} == {
        "cohort_manifest.json",
        "cohort_members.parquet",
    }
    found = Frozen.read(tmp_path / "new" / "out")
    assert found.parts == {image: part for part, ids in cohort.image_ids.items() for image in ids}
    assert found.manifest["members"]["images"] == 5
    assert found.manifest["split"] == SplitRule(seed=1).to_dict()
    by_split = found.manifest["images_by_split"]
    assert {part: sum(counts.values()) for part, counts in by_split.items()} == cohort.images
    text = (tmp_path / "new" / "out" / "cohort_manifest.json").read_text(encoding="utf-8")
    assert json.loads(text)["digest"] == digest


LISTS = "value_sets: {gone: [MARK-0, MARK-77], odd: {values: [MARK-text], absent: [MARK-8]}}\nabsent: [MARK-77]\n"


def test_the_manifest_names_nobody_and_holds_no_list(index, tmp_path):
    forget = "patient in @gone or remark in @odd or patient == MARK-2 or remark contains MARK or patient in [MARK-3]"
    freeze(make_spec(forget, LISTS).resolve(index), tmp_path / "out")
    text = (tmp_path / "out" / "cohort_manifest.json").read_text(encoding="utf-8")
    assert "MARK" not in text
    content = json.loads(text)
    assert content["spec"]["whole"] is False
    assert content["spec"]["content"]["value_sets"] == {"gone": 2, "odd": {"values": 1, "absent": 1}}
    assert content["spec"]["content"]["absent"] == 1
    assert content["attrition"][-1]["rule"] == content["spec"]["rules"][-1]
    assert "MARK-i0" in pq.read_table(tmp_path / "out" / "cohort_members.parquet")["image_id"].to_pylist()


def test_the_same_cohort_gives_the_same_bytes(index, tmp_path):
    for name in ("1", "2"):
        freeze(make_spec("device == old").resolve(index), tmp_path / name)
    for name in ("cohort_manifest.json", "cohort_members.parquet"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_a_column_of_splits_is_named(tmp_path):
    columns = {**COLUMNS, "split": ["train", "test", "val", "test", "train"]}
    index = make_index(tmp_path / "index", columns, {**KINDS, "split": Kind.TEXT})
    assert Frozen.of(make_spec("device == old").resolve(index)).manifest["split"] == {"column": "split"}


def test_a_frozen_cohort_is_replaced_only_when_asked(index, tmp_path):
    first, second = (make_spec(f"device == {name}").resolve(index) for name in ("old", "new"))
    freeze(first, tmp_path / "out")
    with pytest.raises(CohortError, match=r"out: expected a new folder, got one with a frozen cohort\. .* --force"):
        freeze(second, tmp_path / "out")
    assert Frozen.read(tmp_path / "out").manifest["spec"]["digest"] == first.spec.digest
    freeze(second, tmp_path / "out", overwrite=True)
    assert Frozen.read(tmp_path / "out").manifest["spec"]["digest"] == second.spec.digest


def test_files_of_two_cohorts_do_not_fit(index, tmp_path):
    for name in ("old", "new"):
        freeze(make_spec(f"device == {name}").resolve(index), tmp_path / name)
    (tmp_path / "old" / "cohort_members.parquet").replace(tmp_path / "new" / "cohort_members.parquet")
    with pytest.raises(CohortError, match="does not match the digest in the manifest"):
        Frozen.read(tmp_path / "new")
    with pytest.raises(CohortError, match="cannot be read"):
        Frozen.read(tmp_path / "old")
    (tmp_path / "file").write_text("")
    with pytest.raises(CohortError, match=r"file: cannot be written .* Name another folder"):
        freeze(make_spec("device == old").resolve(index), tmp_path / "file")
