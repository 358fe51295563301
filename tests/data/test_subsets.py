from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny import tiny_index, tiny_spec, write_images

from monai_unlearn.data import InMemoryDataset, LoadImage2Dd, PairedLoader, open_data, subset_datasets
from monai_unlearn.data.on_disk import OnDiskDataset
from monai_unlearn.errors import ConfigError, DataError, InputError


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    tiny_index(folder)
    return open_data(index_dir=folder / "index", cohort_spec=tiny_spec(folder), class_names=("up", "down"))


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


def test_remain_training_images_are_decoded_when_they_are_needed(data):
    read = []

    def transform(item):
        read.append(item["image_id"])
        return item

    subsets = subset_datasets(data=data, transform=transform)
    counts = data.counts()
    at_once = counts["forget"]["train"] + counts["forget"]["test"] + counts["remain"]["test"]
    assert len(read) == at_once
    remain = subsets["remain", "train"]
    loader = PairedLoader(forget=subsets["forget", "train"], remain=remain, batch_size=2, remain_batch_size=2, seed=5)
    loader.read_drawn(3)
    drawn = {row for step in range(3) for row in loader.rows(step, "remain")}
    assert len(read) == at_once + len(drawn) < at_once + len(remain)
    list(zip(range(3), loader.batches(), strict=False))
    assert len(read) == at_once + len(drawn)


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_are_the_same_in_memory_and_on_disk(data, tmp_path, workers):
    kinds, found = [], []
    for memory in ("auto", "1 KB"):
        subsets = subset_datasets(
            data=data, transform=LoadImage2Dd(keys="image"), memory=memory, cache_dir=tmp_path / "scratch"
        )
        kinds.append({type(images) for images in subsets.values()})
        parts = {part: subsets[part, "train"] for part in ("forget", "remain")}
        loader = PairedLoader(**parts, batch_size=4, remain_batch_size=8, num_workers=workers)
        found.append([batch for _, batch in zip(range(7), loader.batches(), strict=False)])
    assert kinds == [{InMemoryDataset}, {OnDiskDataset}]
    for first, second in zip(*found, strict=True):
        for part, batch in first.items():
            assert torch.equal(batch.pop("image"), second[part].pop("image"))
            assert {key: str(value) for key, value in batch.items()} == {
                key: str(value) for key, value in second[part].items()
            }


def test_the_folder_on_disk_is_beside_the_results_and_goes_with_the_subsets(data, tmp_path):
    subsets = subset_datasets(
        data=data, transform=LoadImage2Dd(keys="image"), memory=0, output_dir=tmp_path / "results" / "out"
    )
    folders = {images.folder.parent for images in subsets.values()}
    assert folders == {tmp_path / "results"}
    del subsets
    assert list((tmp_path / "results").iterdir()) == []


def test_refuses_to_hold_images_among_the_results(data, tmp_path):
    with pytest.raises(ConfigError, match=r"cache_dir: .*scratch is inside .*out, which is passed on"):
        subset_datasets(
            data=data,
            transform=LoadImage2Dd(keys="image"),
            cache_dir=tmp_path / "out/scratch",
            output_dir=tmp_path / "out",
        )


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
