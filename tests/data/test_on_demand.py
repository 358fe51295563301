"""Data sets of an index whose images come from the archive when they are first used."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_archive import FakeArchive
from file_archive import images_of, phantom_files, rows, serving

from monai_unlearn.data import LoadImage2Dd, PairedLoader, open_data, subset_datasets
from monai_unlearn.errors import DataError
from monai_unlearn.index.build_request import BuildRequest
from monai_unlearn.index.fetch.archive import ImageSource
from monai_unlearn.index.fetch.on_demand import link
from monai_unlearn.index.fetch.wanted import wanted_of
from monai_unlearn.index.pull import PullRequest, pull


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return phantom_files(tmp_path_factory.mktemp("archive"), patients=12)


@pytest.fixture
def archive(files, monkeypatch):
    return serving(files, monkeypatch)


@pytest.fixture
def folder(tmp_path, archive, files):
    """A linked index, and a spec that forgets a third of its images."""
    metadata = images_of(files)
    for number, one in enumerate(metadata):
        one["00200062"] = {"vr": "CS", "Value": ["L" if number % 2 else "R"]}
        one["00081090"] = {"vr": "LO", "Value": ["Old" if number % 3 == 0 else "New"]}
    build = BuildRequest(sources=(), out=tmp_path / "index", label="ImageLaterality")
    index = pull(PullRequest(build=build, connections=2), FakeArchive(metadata), track=iter).build.index
    link(index, wanted_of(rows(index)), ImageSource.of(index), folder=tmp_path / "index" / "images")
    (tmp_path / "spec.yaml").write_text(
        "schema_version: 1\nname: old\nreason: device_deprecation\nforget: ManufacturerModelName == Old\n"
    )
    return tmp_path


def opened(folder):
    return open_data(index_dir=folder / "index", cohort_spec=folder / "spec.yaml", class_names=("L", "R"))


def test_only_images_that_are_used_are_fetched(folder, archive):
    data = opened(folder)
    assert archive.asked == []
    subsets = subset_datasets(data=data, transform=LoadImage2Dd("image"), memory="1 GB")
    counts = data.counts()
    at_once = counts["forget"]["train"] + counts["forget"]["test"] + counts["remain"]["test"]
    assert len(archive.asked) == at_once
    remain = subsets["remain", "train"]
    loader = PairedLoader(forget=subsets["forget", "train"], remain=remain, batch_size=1, remain_batch_size=1, seed=5)
    loader.read_drawn(2)
    drawn = {row for step in range(2) for row in loader.rows(step, "remain")}
    assert len(archive.asked) == at_once + len(drawn) < at_once + len(remain)
    # What a run records of its images is there for each that it used.
    assert len(data.pixels.seen) == len(archive.asked)
    assert all(one.digest.startswith("sha256:") for one in data.pixels.seen.values())
    # The next run asks for nothing of that.
    again = opened(folder)
    subset_datasets(data=again, transform=LoadImage2Dd("image"), memory="1 GB")
    assert len(archive.asked) == len(data.pixels.seen)


def test_a_comparison_of_all_fetches_all(folder, archive, files):
    data = opened(folder)
    items = [item for split in ("train", "test") for item in data.items(split=split)]
    data.pixels.check(items)
    assert len(archive.asked) == len(data.pixels.seen) == len(items)


def test_a_file_that_was_changed_since_it_was_fetched_is_refused(folder, archive):
    subset_datasets(data=opened(folder), transform=LoadImage2Dd("image"), parts=("forget",), memory="1 GB")
    path = next(Path(folder / "index" / "images").rglob("*.dcm"))
    content = path.read_bytes()
    path.write_bytes(content[:-4] + bytes([content[-4] ^ 1]) + content[-3:])
    with pytest.raises(DataError, match="are not the files that were indexed: 1 have another size or time"):
        subset_datasets(data=opened(folder), transform=LoadImage2Dd("image"), parts=("forget",), memory="1 GB")
