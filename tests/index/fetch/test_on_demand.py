"""Images that are fetched when they are first used."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from file_archive import rows, serving

from monai_unlearn.errors import ArchiveError, IndexReadError
from monai_unlearn.index import Index
from monai_unlearn.index.fetch.archive import ImageSource
from monai_unlearn.index.fetch.fetch import fetch
from monai_unlearn.index.fetch.manifest import read_manifest
from monai_unlearn.index.fetch.on_demand import OnDemand, link
from monai_unlearn.index.fetch.wanted import wanted_of
from monai_unlearn.index.store.relink import relink


@pytest.fixture
def archive(files, monkeypatch):
    return serving(files, monkeypatch)


def linked(index, **options):
    index = Index.open(index.directory)
    done = link(index, wanted_of(rows(index)), ImageSource.of(index), folder=index.directory / "images", **options)
    return done, Index.open(index.directory)


def ids(index):
    return [one.image_id for one in wanted_of(rows(index))]


def test_nothing_is_fetched_before_it_is_used(index, archive, files):
    done, now = linked(index)
    assert (done.on_demand, done.present, done.is_whole, archive.asked) == (len(files), 0, True, [])
    assert now.digest == index.digest
    first, second, *_ = ids(now)
    on_demand = pickle.loads(pickle.dumps(OnDemand.of(now)))  # noqa: S301 - our own: as for another process
    found = on_demand.bring([first])
    assert [uids[2] for uids in archive.asked] == [first]
    path = dict(now.frame(["image_id", "path"]).itertuples(index=False, name=None))[first]
    assert Path(path).read_bytes() == files[archive.asked[0]]
    assert found[first].size == Path(path).stat().st_size
    assert read_manifest(on_demand.folder) == found
    # What is there is not asked for again, in this process or another.
    assert set(OnDemand.of(now).bring([first, second])) == {first, second}
    assert len(archive.asked) == 2
    assert on_demand.bring([]) == on_demand.bring(["elsewhere"]) == {}
    # Linked again, it counts as present, and the index has its size.
    again, now = linked(index)
    assert (again.present, again.on_demand) == (2, len(files) - 2)
    assert now.frame(["file_size"])["file_size"].notna().sum() == 2


def test_a_fetch_of_all_is_the_same_in_the_end(index, archive, files):
    _, now = linked(index)
    images = ids(now)
    OnDemand.of(now).bring(images[:1])
    done = fetch(now, wanted_of(rows(now)), archive, folder=index.directory / "images")
    assert (done.present, done.fetched) == (1, len(files) - 1)
    assert OnDemand.of(Index.open(index.directory)).known().keys() == set(images)


def test_a_budget_is_kept_and_what_came_stays(index, archive, files):
    budget = sum(sorted(map(len, files.values()))[:2]) + 200
    _, now = linked(index, budget=budget)
    with pytest.raises(ArchiveError, match="no room for .* images that are used now: .* larger --budget-bytes"):
        OnDemand.of(now).bring(ids(now))
    held = OnDemand.of(now).known()
    assert 0 < sum(one.size for one in held.values()) <= budget
    _, now = linked(index)
    assert len(OnDemand.of(now).bring(ids(now))) == len(files)


def test_files_that_are_not_the_image_are_not_kept(index, archive, files):
    _, now = linked(index)
    one, other, third, *_ = sorted(files)
    archive.files[one] = files[other]
    del archive.files[third]
    with pytest.raises(ArchiveError, match=r"of 2 images .* no longer has 1, .* 1 other_image. Pull the index again"):
        OnDemand.of(now).bring([one[2], third[2]])
    assert not list((index.directory / "images").rglob("*.dcm"))


def test_an_index_that_is_not_linked_or_says_nonsense(index):
    assert OnDemand.of(index) is None
    relink(index.directory, {}, further={"fetched": {"folder": "images", "on_demand": {"address": "x"}}})
    with pytest.raises(IndexReadError, match="not as `index fetch --on-demand` writes it"):
        OnDemand.of(Index.open(index.directory))
