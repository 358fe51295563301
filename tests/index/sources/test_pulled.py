"""What earlier pulls left, study by study."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dicom_json import images_of
from fake_archive import FakeArchive
from pulls import pulled

from monai_unlearn.index.fast_readers import schema
from monai_unlearn.index.scan.workspace import NOTES
from monai_unlearn.index.sources.pulled import ByStudy, Pulled, in_order, path_of, study_in, write_studies


def rows(*ids, notes=None):
    table = pa.Table.from_pylist([{"path": path_of(study, "s", f"{number}")} for study, number in ids], schema=schema())
    return table if notes is None else table.replace_schema_metadata({NOTES: json.dumps(notes)})


def paths(found):
    return None if found is None else [path.rpartition("/")[2] for path in found[0]["path"].to_pylist()]


def test_paths():
    assert study_in(path_of("1.2", None, "3")) == "1.2"
    # As paths are sorted: 1.2.3/… comes before 1.2/…
    assert sorted(["1.2", "1.2.3"], key=in_order) == ["1.2.3", "1.2"]


def test_studies_are_taken_in_order_also_across_tables():
    found = ByStudy([rows(("a", 1), ("b", 2), ("b", 3)), rows(("b", 4), ("d", 5)), rows(("e", 6))])
    assert paths(found.take("a")) == ["1"]
    assert paths(found.take("b")) == ["2", "3", "4"]
    assert found.take("c") is None
    assert paths(found.take("e")) == ["6"]
    assert found.take("f") is None
    assert found.passed == 1
    ended = ByStudy([rows(("a", 1), ("b", 2))])
    ended.finish()
    assert ended.passed == 2


def test_blocks_state_the_fingerprints_of_their_studies():
    found = ByStudy([rows(("a", 1), ("b", 2), notes={"a": "x", "b": "y"}), rows(("c", 3), notes={"c": "z"})])
    assert [found.take(key)[1] for key in "abc"] == ["x", "y", "z"]


def test_nothing_is_reused_of_a_folder_that_is_no_pull(tmp_path):
    assert Pulled.of(tmp_path, {}) is None


def test_studies_are_written(tmp_path):
    write_studies(tmp_path / "s.parquet", {"1.2": "x"})
    assert pq.read_table(tmp_path / "s.parquet").to_pylist() == [{"study": "1.2", "fingerprint": "x"}]


@pytest.mark.parametrize("damage", [b"other", b""])
def test_damaged_studies_are_not_reused(tmp_path, damage):
    pulled(tmp_path / "index", FakeArchive(images_of(2)))
    (path,) = (tmp_path / "index").glob("studies-*.parquet")
    path.write_bytes(damage)
    archive = FakeArchive(images_of(2))
    assert pulled(tmp_path / "index", archive).counts.studies["read"] == 2
