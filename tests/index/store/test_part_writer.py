from __future__ import annotations

import hashlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monai_unlearn.index.store import part_writer
from monai_unlearn.index.store.part_writer import PartWriter, named_by_content


def rows(numbers, fault=None):
    faults = pa.array([fault] * len(numbers), pa.string())
    return pa.table({"number": pa.array(numbers, pa.int64()), "fault": faults, "faults": faults})


def written(writer):
    return [pq.read_table(writer.stage / name)["number"].to_pylist() for name in writer.parts]


@pytest.mark.parametrize("batches", [[10], [3, 3, 4], [1] * 10, [4, 6]])
def test_parts_are_bounded_and_keep_the_order(batches, tmp_path, monkeypatch):
    monkeypatch.setattr(part_writer, "ROWS_A_PART", 4)
    writer = PartWriter(tmp_path / "stage")
    begin = 0
    for size in batches:
        writer.write(rows(range(begin, begin + size)))
        begin += size
    writer.close()
    assert written(writer) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert [name[:16] for name in writer.parts] == [f"parts/part-0000{number}" for number in range(3)]


def test_last_part_is_not_empty(tmp_path, monkeypatch):
    monkeypatch.setattr(part_writer, "ROWS_A_PART", 2)
    writer = PartWriter(tmp_path / "stage")
    writer.write(rows(range(4)))
    writer.close()
    assert written(writer) == [[0, 1], [2, 3]]


def test_index_without_rows_has_one_empty_part(tmp_path):
    writer = PartWriter(tmp_path / "stage")
    writer.write(rows([]))
    writer.close()
    assert written(writer) == [[]]
    assert writer.counts() == {"images": 0, "rows": 0, "faults": {}}


def test_rows_images_and_faults_are_counted(tmp_path):
    writer = PartWriter(tmp_path / "stage")
    for batch in (rows([1, 2, 3]), rows([4, 5], "truncated"), rows([6], "missing_patient_id"), rows([7], "truncated")):
        writer.write(batch)
    assert writer.counts() == {"images": 4, "rows": 7, "faults": {"missing_patient_id": 1, "truncated": 3}}


def test_notes_on_what_is_no_image_are_not_counted(tmp_path):
    both = "derived_object\\implausible_age"
    found = pa.table({"fault": ["derived_object", None, "implausible_age"], "faults": [both, None, "implausible_age"]})
    writer = PartWriter(tmp_path / "stage")
    writer.write(found)
    assert writer.counts() == {"images": 2, "rows": 3, "faults": {"derived_object": 1, "implausible_age": 1}}


def test_name_contains_the_digest_of_the_content(tmp_path):
    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / "files.parquet"
    path.write_bytes(b"content")
    name = named_by_content(path, tmp_path)
    assert name == f"a/files-{hashlib.sha256(b'content').hexdigest()[:12]}.parquet"
    assert (tmp_path / name).read_bytes() == b"content"
    assert not path.exists()


@pytest.mark.parametrize(
    ("count", "groups"),
    [(1, [1]), (2_000, [2_000]), (3_001, [2_000, 1_001]), (10_001, [5_001, 5_000]), (45_000, [20_000, 20_000, 5_000])],
)
def test_small_part_has_a_row_group_for_each_of_two_threads(count, groups, tmp_path):
    writer = PartWriter(tmp_path / "stage")
    writer.write(rows(range(count)))
    writer.close()
    (name,) = writer.parts
    metadata = pq.read_metadata(writer.stage / name)
    assert [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)] == groups
