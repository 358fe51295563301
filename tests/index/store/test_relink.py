"""Rows say where their files are, and the index stays what it was."""

from __future__ import annotations

from cohort_index import make_index

from monai_unlearn.index import Index
from monai_unlearn.index.store.relink import relink
from monai_unlearn.index.store.store import read_document


def test_relink(tmp_path):
    index = make_index(tmp_path / "index", {"image_id": ["a", "b", "c"], "path": ["x/a", "x/b", None]})
    now = relink(index.directory, {"b": ("/y/b", 7, 8)}, further={"fetched": {"images": 1}})
    assert now.digest == index.digest
    frame = Index.open(index.directory).frame(["image_id", "path", "file_size", "file_mtime_ns"])
    assert frame["path"].tolist()[:2] == ["x/a", "/y/b"]
    assert frame.loc[1, ["file_size", "file_mtime_ns"]].tolist() == [7, 8]
    document = read_document(index.directory)
    assert document["fetched"] == {"images": 1}
    assert document["built"] == index.built.isoformat()
