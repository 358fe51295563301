from __future__ import annotations

import pytest
import torch
from counted_decoding import Decoded, decoded, write_items
from nightly import nightly
from torch.utils.data import DataLoader

from monai_unlearn.data.on_disk import OnDiskDataset, is_on_disk
from monai_unlearn.data.record_layout import RecordLayout


def opened(tmp_path, items, *, pixels=None, **options):
    transform = Decoded(**options)
    layout = RecordLayout.of(items[0], Decoded()(items[0]))
    return OnDiskDataset(items, transform, layout=layout, cache_dir=tmp_path / "scratch", pixels=pixels)


@pytest.fixture
def items(tmp_path):
    return write_items(tmp_path / "images")


def test_items_are_those_of_the_transform_decoded_once(tmp_path, items):
    dataset = opened(tmp_path, items, log=str(tmp_path / "log"))
    for _ in range(2):
        for row in (4, 1, 4):
            assert torch.equal(dataset[row]["image"], torch.tensor([row, 2 * row, 7.0]))
            assert {**dataset[row], "image": None} == {**items[row], "image": None}
    assert decoded(tmp_path / "log") == [1, 4]
    assert [dataset.holds(row) for row in range(6)] == [False, True, False, False, True, False]


def test_a_change_to_an_item_does_not_change_what_is_kept(tmp_path, items):
    dataset = opened(tmp_path, items)
    dataset[1]["image"].zero_()
    assert dataset[1]["image"].tolist() == [1, 2, 7]


@pytest.mark.parametrize("start", ["fork", pytest.param("spawn", marks=nightly)])
def test_workers_read_and_write_the_same_file(tmp_path, items, start):
    dataset = opened(tmp_path, items, log=str(tmp_path / "log"))
    dataset.read([0, 1])
    loader = DataLoader(dataset, batch_size=2, num_workers=2, multiprocessing_context=start)
    for _ in range(2):
        assert torch.cat([batch["image"] for batch in loader])[:, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert decoded(tmp_path / "log") == [0, 1, 2, 3, 4, 5]
    assert dataset.folder.is_dir()
    del dataset, loader
    assert list((tmp_path / "scratch").iterdir()) == []


def test_the_same_images_and_transform_are_not_decoded_again(tmp_path, items):
    log = str(tmp_path / "log")
    assert not is_on_disk(items, Decoded(log=log))
    first = opened(tmp_path, items, log=log)
    first.read()
    assert is_on_disk(items, Decoded(log=log))
    second = opened(tmp_path, [dict(item) for item in items], log=log)
    second.read()
    assert decoded(tmp_path / "log") == [0, 1, 2, 3, 4, 5]
    del first
    assert second[3]["image"].tolist() == [3, 6, 7]
    del second
    assert not is_on_disk(items, Decoded(log=log))
