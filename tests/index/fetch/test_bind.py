"""An index that says where its files are."""

from __future__ import annotations

from file_archive import rows

from monai_unlearn.index import Index
from monai_unlearn.index.fetch.bind import bind, bound_folder, fetched_of
from monai_unlearn.index.fetch.manifest import write_manifest
from monai_unlearn.index.fetch.wanted import wanted_of


def test_where_images_will_be_and_how_they_come(index):
    folder = index.directory / "images"
    assert (bound_folder(index.directory), fetched_of(index.directory)) == (None, {})
    write_manifest(folder, {})
    one, *_ = wanted_of(rows(index))
    bind(index.directory, folder, {}, later=[one], on_demand={"address": "https://pacs"})
    now = Index.open(index.directory).frame(["image_id", "path", "file_size"])
    row = now[now["image_id"] == one.image_id].iloc[0]
    assert (row["path"], row["file_size"] is not None) == ((folder.absolute() / one.name).as_posix(), True)
    assert bound_folder(index.directory) == folder.absolute()
    # A fetch into the same folder keeps how images come; one into another folder does not.
    bind(index.directory, folder, {})
    assert fetched_of(index.directory)["on_demand"] == {"address": "https://pacs"}
    write_manifest(index.directory / "others", {})
    bind(index.directory, index.directory / "others", {})
    assert fetched_of(index.directory)["on_demand"] is None
