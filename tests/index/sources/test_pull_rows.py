"""The rows of a pull come in order, are stored as they come, and are counted against those of the last pull."""

from __future__ import annotations

import datetime as dt
import json

import pyarrow as pa
import pytest

from monai_unlearn.errors import ArchiveError
from monai_unlearn.index.fast_readers import schema
from monai_unlearn.index.scan.workspace import NOTES, Workspace
from monai_unlearn.index.sources import pull_rows
from monai_unlearn.index.sources.pull_rows import PullRows, listed
from monai_unlearn.index.sources.pulled import Pulled, in_order, path_of
from monai_unlearn.index.sources.study_list import Study

TODAY = dt.date(2020, 3, 1)


def rows_of(key, count=2, **columns):
    return [{"path": path_of(key, "s", str(number)), "PatientID": "P", **columns} for number in range(count)]


def table_of(rows):
    return pa.Table.from_pylist(rows, schema=schema())


def tables_of(*keys):
    return [table_of(rows_of(key)) for key in keys]


def study(key, fingerprint="x", **options):
    return Study(key, key, fingerprint, **options)


@pytest.fixture
def run(tmp_path):
    def begin(studies, fetch, *, before=None, checked=None):
        with Workspace(tmp_path / "index", {"a": "b"}, worth_keeping=1) as space:
            rows = PullRows(fetch, table_of, space, connections=2, checked=checked)
            ordered = sorted(studies, key=lambda one: in_order(one.key))
            return list(rows.batches(ordered, before)), rows, list(space.blocks())

    return begin


def paths(batches):
    return [path for table in batches for path in table["path"].to_pylist()]


def test_rows_are_in_order_and_stored_in_blocks(run, monkeypatch):
    monkeypatch.setattr(pull_rows, "ROWS_A_BLOCK", 4)
    monkeypatch.setattr(pull_rows, "ROWS_A_BATCH", 3)
    keys = [f"1.2.{number}" for number in range(9)]
    batches, rows, blocks = run([study(key) for key in keys], lambda one: rows_of(one.key))
    assert paths(batches) == sorted(paths(batches)) == paths(blocks)
    assert len(paths(batches)) == 18
    assert [table.num_rows for table in batches][:2] == [4, 4]
    assert [table.num_rows for table in blocks] == [4, 4, 4, 4, 2]
    assert json.loads(blocks[0].schema.metadata[NOTES]) == {"1.2.0": "x", "1.2.1": "x"}
    assert rows.fingerprints == dict.fromkeys(keys, "x")


def test_what_is_held_is_bounded(run, monkeypatch):
    monkeypatch.setattr(pull_rows, "_MOST_STUDIES", 3)
    asked = []
    run([study(f"1.2.{number}") for number in range(7)], lambda one: asked.append(one.key) or rows_of(one.key))
    assert len(asked) == 7


def test_only_studies_that_changed_are_asked_for(run):
    before = Pulled({"1.2.1": "x", "1.2.2": "x", "1.2.3": "x"}, None, tables_of("1.2.1", "1.2.2", "1.2.3"))
    asked = []

    def fetch(one):
        asked.append(one.key)
        return rows_of(one.key, 3) if one.key == "1.2.2" else rows_of(one.key)

    now = [study("1.2.1"), study("1.2.2", "y"), study("1.2.4")]
    batches, rows, _ = run(now, fetch, before=before)
    assert sorted(asked) == ["1.2.2", "1.2.4"]
    assert dict(rows.counts.studies) == {"reused": 1, "read": 2}
    assert dict(rows.counts.images) == {"reused": 4, "changed": 0, "added": 3, "vanished": 2}
    assert len(paths(batches)) == 7


def test_a_full_check_finds_what_changed_silently(run):
    before = Pulled({"1.2.1": "x"}, None, [table_of(rows_of("1.2.1", 3))])
    _, rows, _ = run([study("1.2.1")], lambda one: rows_of(one.key, 2, issuer="H"), before=before, checked=TODAY)
    assert rows.counts.identities == 2
    assert dict(rows.counts.images) == {"reused": 0, "changed": 2, "added": 0, "vanished": 1}


def test_a_study_that_the_archive_says_has_changed_is_read_whatever_its_fingerprint(run):
    before = Pulled({"1.2.1": "x", "1.2.2": "x"}, None, tables_of("1.2.1", "1.2.2"))
    asked = []
    now = [study("1.2.1", change="+7"), study("1.2.2")]
    _, rows, _ = run(now, lambda one: asked.append(one.key) or rows_of(one.key), before=before)
    assert asked == ["1.2.1"]
    assert rows.fingerprints == {"1.2.1": "x", "1.2.2": "x"}


@pytest.mark.parametrize(
    ("first", "then", "resumed"),
    [
        ({}, {}, 2),
        ({}, {"checked": TODAY}, 0),
        ({"checked": TODAY}, {"checked": TODAY}, 2),
        ({"checked": TODAY}, {"checked": TODAY + dt.timedelta(days=1)}, 0),
        ({"checked": TODAY}, {}, 2),
    ],
)
def test_a_check_goes_on_with_a_check_of_the_same_day_only(run, first, then, resumed):
    def fails(one):
        if one.key == "1.2.3":
            raise ArchiveError("cut")
        return rows_of(one.key)

    studies = [study(f"1.2.{number}") for number in (1, 2, 3)]
    with pytest.raises(ArchiveError):
        run(studies, fails, **first)
    assert run(studies, lambda one: rows_of(one.key), **then)[1].counts.studies["resumed"] == resumed


def test_what_was_read_before_the_last_change_is_read_again(run):
    def fails(one):
        if one.key == "1.2.3":
            raise ArchiveError("cut")
        return rows_of(one.key)

    with pytest.raises(ArchiveError):
        run([study("1.2.1", change="+7"), study("1.2.2", change="+8"), study("1.2.3")], fails)
    now = [study("1.2.1", change="+7"), study("1.2.2", change="+9"), study("1.2.3")]
    assert run(now, lambda one: rows_of(one.key))[1].counts.studies["resumed"] == 1


def test_a_study_that_is_gone_is_no_row(run):
    batches, rows, _ = run(
        [study("1.2.1"), study("1.2.2")], lambda one: None if one.key == "1.2.1" else rows_of(one.key)
    )
    assert len(paths(batches)) == 2
    assert dict(rows.counts.studies) == {"vanished": 1, "read": 1}


def test_a_pull_that_fails_is_gone_on_with(run, tmp_path, monkeypatch):
    monkeypatch.setattr(pull_rows, "ROWS_A_BLOCK", 2)
    asked = []

    def fetch(one):
        asked.append(one.key)
        if one.key == "1.2.5" and len(asked) < 8:
            raise ArchiveError("the connection was cut")
        return rows_of(one.key)

    studies = [study(f"1.2.{number}") for number in range(8)]
    with pytest.raises(ArchiveError, match="cut"):
        run(studies, fetch)
    first = len(asked)
    asked.extend([""] * 8)
    batches, rows, _ = run([*studies[:1], study("1.2.1", "other"), *studies[2:]], fetch)
    assert len(paths(batches)) == 16
    assert rows.counts.studies["resumed"] == 4
    assert asked[first + 8 :][0] == "1.2.1"  # it has changed since
    assert not (tmp_path / ".index.unfinished").exists()


def test_listed():
    table = listed(table_of(rows_of("1.2")))
    assert table["path"] == table["relative"]
    assert table["named"].to_pylist() == [False, False]
