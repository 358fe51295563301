from __future__ import annotations

import os

import pandas as pd
import pytest
import torch
from monai.transforms import MapTransform
from nightly import nightly
from torch.utils.data import DataLoader

from monai_unlearn.data.on_disk import OnDiskDataset, content_key, is_on_disk
from monai_unlearn.data.pixel_digest import PixelCheck
from monai_unlearn.data.record_layout import RecordLayout


class Decoded(MapTransform):
    """Decode the numbers in a file, and count how often that is done, also in other processes."""

    def __init__(self, *, log=None):
        super().__init__("image")
        self.log = log

    def __call__(self, item):
        if self.log:
            with open(self.log, "a", encoding="ascii") as stream:  # noqa: PTH123 - each line is appended at once
                stream.write(f"{item['row']}\n")
        with open(item["image"], "rb") as stream:  # noqa: PTH123 - as above
            return {**item, "image": torch.tensor(list(stream.read()), dtype=torch.float32)}


def write_items(folder, n=6):
    folder.mkdir(exist_ok=True)
    for row in range(n):
        (folder / f"{row}.raw").write_bytes(bytes([row, 2 * row, 7]))
    return [
        {"image": str(folder / f"{row}.raw"), "label": row % 2, "image_id": f"i{row}", "row": row} for row in range(n)
    ]


def opened(tmp_path, items, *, pixels=None, **options):
    transform = Decoded(**options)
    layout = RecordLayout.of(items[0], Decoded()(items[0]))
    return OnDiskDataset(items, transform, layout=layout, cache_dir=tmp_path / "scratch", pixels=pixels)


def decoded(tmp_path):
    log = tmp_path / "log"
    return sorted(map(int, log.read_text().split())) if log.exists() else []


@pytest.fixture
def items(tmp_path):
    return write_items(tmp_path / "images")


def test_items_are_those_of_the_transform_decoded_once(tmp_path, items):
    dataset = opened(tmp_path, items, log=str(tmp_path / "log"))
    for _ in range(2):
        for row in (4, 1, 4):
            assert torch.equal(dataset[row]["image"], torch.tensor([row, 2 * row, 7.0]))
            assert {**dataset[row], "image": None} == {**items[row], "image": None}
    assert decoded(tmp_path) == [1, 4]
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
    assert decoded(tmp_path) == [0, 1, 2, 3, 4, 5]
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
    assert decoded(tmp_path) == [0, 1, 2, 3, 4, 5]
    del first
    assert second[3]["image"].tolist() == [3, 6, 7]
    del second
    assert not is_on_disk(items, Decoded(log=log))


def test_the_key_is_of_content_and_transform(tmp_path, items):
    pixels = PixelCheck(pd.DataFrame(index=[item["image_id"] for item in items]))
    pixels.check(items)
    keys = [
        content_key(items, Decoded(), None),
        content_key(items, Decoded(), pixels),
        content_key(items, Decoded(log="log"), pixels),
        content_key(items[::-1], Decoded(), pixels),
        content_key(items[:-1], Decoded(), pixels),
        content_key([{**item, "label": 3} for item in items], Decoded(), pixels),
    ]
    assert keys[1] == content_key(items, Decoded(), pixels)
    # Another content of the same size and time, as an index with digests of pixels would tell.
    path, stat = items[2]["image"], os.stat(items[2]["image"])  # noqa: PTH116 - as below
    with open(path, "wb") as stream:  # noqa: PTH123 - the path is a text
        stream.write(b"abc")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    swapped = PixelCheck(pd.DataFrame(index=[item["image_id"] for item in items]))
    swapped.check(items)
    keys.append(content_key(items, Decoded(), swapped))
    assert None not in keys
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("items", [[{"image": "nowhere.raw"}], [{"label": 1}], [3]])
def test_what_is_no_file_has_no_key(items):
    assert content_key(items, Decoded(), None) is None
    assert content_key([], lambda item: item, None) is None
