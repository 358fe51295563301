from __future__ import annotations

from pathlib import Path

import pytest
from tiny import tiny_index, tiny_spec, write_images

from monai_unlearn.data import InMemoryDataset, open_data, subset_datasets
from monai_unlearn.errors import DataError, InputError


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    tiny_index(folder)
    return open_data(index_dir=folder / "index", cohort_spec=tiny_spec(folder), class_names=("up", "down"))


def test_items_are_transformed_once_however_often_they_are_read():
    calls = []
    dataset = InMemoryDataset([3, 1, 2], lambda item: calls.append(item) or 10 * item)
    assert calls == [3, 1, 2]
    assert [dataset[row] for row in (0, 1, 2, 1)] == [30, 10, 20, 10]
    assert (len(dataset), calls) == (3, [3, 1, 2])


def test_an_error_of_the_transform_is_raised_at_once():
    def refuse(item):
        raise DataError(f"{item}: the image cannot be decoded")

    with pytest.raises(DataError, match="a.png: the image cannot be decoded"):
        InMemoryDataset(["a.png"], refuse)


def test_each_subset_holds_the_items_of_its_part_and_split(data):
    subsets = subset_datasets(data=data, transform=lambda item: item["image_id"])
    assert list(subsets) == [("forget", "train"), ("forget", "test"), ("remain", "train"), ("remain", "test")]
    for (part, split), dataset in subsets.items():
        expected = [item["image_id"] for item in data.items([part], split)]
        assert [dataset[row] for row in range(len(dataset))] == expected
        assert expected


def test_only_the_subsets_asked_for_are_read(data):
    read = []
    subsets = subset_datasets(data=data, transform=read.append, parts=("forget",), splits=("test",))
    assert list(subsets) == [("forget", "test")]
    assert len(read) == data.counts()["forget"]["test"]


def test_no_image_is_read_unless_all_are_the_files_that_were_indexed(tmp_path):
    frame = write_images(tmp_path / "images")
    sizes = [Path(path).stat().st_size for path in frame["path"]]
    tiny_index(tmp_path, frame=frame.assign(file_size=sizes))
    data, read = open_data(index_dir=tmp_path / "index", class_names=("up", "down")), []
    items = data.items(split="test")
    for item in items:
        Path(item["image"]).write_bytes(b"another")
    with pytest.raises(DataError, match=rf"^{len(items)} of 48 images are not the files that were indexed"):
        subset_datasets(data=data, transform=read.append)
    assert read == []


def test_refuses_an_unknown_part(data):
    with pytest.raises(InputError, match="got 'forgot'. Did you mean 'forget'"):
        subset_datasets(data=data, transform=lambda item: item, parts=("forgot",))
