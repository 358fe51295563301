from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from tiny import tiny_index, tiny_spec

from monai_unlearn.data import InMemoryDataset, LoadImage2Dd, held_images, open_data
from monai_unlearn.data.held import bytes_of, hold
from monai_unlearn.data.on_disk import OnDiskDataset
from monai_unlearn.errors import ConfigError, DataError

# Reads images of 64 px through a data set on disk and prints by how many bytes the process has grown since the first.
GROWS = """
import sys, torch
from monai_unlearn.data.held import hold
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
def decoded(item):
    return {**item, "image": torch.full((3, 64, 64), float(item["row"]))}
count = int(sys.argv[1])
items = [{"image": "eye.png", "image_id": f"eye-{row}", "row": row} for row in range(count)]
[images] = hold({"images": items}, decoded, pixels=None, memory=0, cache_dir=None).values()
images.read(range(100))
[images[row] for row in range(100)]
before = resident()
images.read()
assert all(images[row]["image"][0, 0, 0] == row for row in range(count))
print(resident() - before)
"""


def decoded(item):
    return {**item, "image": torch.full((2, 2), float(item["row"]))}


def items(n, start=0):
    return [{"image": f"{start + row}.png", "image_id": f"i{start + row}", "row": start + row} for row in range(n)]


def held(tmp_path, memory, **subsets):
    return hold(subsets, decoded, pixels=None, memory=memory, cache_dir=tmp_path)


def test_all_subsets_together_must_fit(tmp_path, capsys):
    each = bytes_of(decoded(items(1)[0]))
    for memory, kind in [(5 * each, InMemoryDataset), (5 * each - 1, OnDiskDataset)]:
        found = held(tmp_path, memory, a=items(2), b=items(3, start=2), none=[])
        assert [type(found[name]) for name in "ab"] == [kind, kind]
        assert [found["b"][row]["image"][0, 0].item() for row in range(3)] == [2, 3, 4]
        assert len(found["none"]) == 0
    told = capsys.readouterr().err
    assert "5 decoded images need 0.00 GB, and 0.00 GB of memory are for them: they are kept" in told
    assert f"in {tmp_path}, which is removed at the end. They are patient data." in told
    assert len(told.splitlines()) == 1


def test_without_images_nothing_is_measured(tmp_path):
    assert len(held(tmp_path, 0, none=[])["none"]) == 0


@pytest.mark.parametrize("memory", ["auto", 0])
def test_one_image_is_decoded_to_choose_and_each_once(tmp_path, memory):
    calls = []

    def transform(item):
        calls.append(item["row"])
        return decoded(item)

    found = hold({"a": items(3)}, transform, pixels=None, memory=memory, cache_dir=tmp_path)["a"]
    assert calls == [0]
    found.read()
    assert calls == [0, 1, 2]


def test_items_are_equal_in_memory_and_on_disk_bit_for_bit(tmp_path):
    tiny_index(tmp_path)
    data = open_data(index_dir=tmp_path / "index", cohort_spec=tiny_spec(tmp_path), class_names=("up", "down"))
    rows, transform = data.items(), LoadImage2Dd(keys="image")
    one, other = (
        held_images(items=rows, transform=transform, data=data, memory=memory, cache_dir=tmp_path / "scratch")
        for memory in ("auto", 0)
    )
    assert (type(one), type(other)) == (InMemoryDataset, OnDiskDataset)
    for row in range(len(rows)):
        first, second = one[row], other[row]
        assert list(first) == list(second)
        assert torch.equal(first.pop("image"), second.pop("image"))
        assert first == second


def test_images_that_are_on_disk_already_stay_there(tmp_path):
    tiny_index(tmp_path)
    data = open_data(index_dir=tmp_path / "index", class_names=("up", "down"))
    settings = {
        "items": data.items(),
        "transform": LoadImage2Dd(keys="image"),
        "data": data,
        "cache_dir": tmp_path / "s",
    }
    first = held_images(**settings, memory=0)
    second = held_images(**settings, memory="auto")
    assert type(second) is OnDiskDataset
    assert second.folder == first.folder


def test_another_file_than_that_indexed_is_refused_before_it_is_read(tmp_path):
    tiny_index(tmp_path)
    data = open_data(index_dir=tmp_path / "index", class_names=("up", "down"))
    rows = data.items()
    data.pixels.check(rows[:1])
    with open(rows[0]["image"], "ab") as stream:  # noqa: PTH123 - the path is a text
        stream.write(b"more")
    with pytest.raises(DataError, match="a file changed while the run was using it"):
        held_images(items=rows, transform=LoadImage2Dd(keys="image"), data=data)


def test_images_of_several_shapes_fit_into_memory_alone(tmp_path):
    def transform(item):
        return {**item, "image": torch.zeros(1, 1 + item["row"])}

    found = hold({"a": items(2)}, transform, pixels=None, memory="auto", cache_dir=tmp_path)["a"]
    assert found[1]["image"].shape == (1, 2)
    found = hold({"a": items(2)}, transform, pixels=None, memory=0, cache_dir=tmp_path)["a"]
    with pytest.raises(DataError, match="image i1: expected image torch.float32"):
        found.read()


def test_what_cannot_be_on_disk_says_what_to_do(tmp_path):
    with pytest.raises(ConfigError, match="do not fit into memory, and on disk an item can hold"):
        hold({"a": items(2)}, lambda item: {**item, "meta": object()}, pixels=None, memory=0, cache_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_size_of_an_item_is_mostly_that_of_its_pixels():
    pixels = torch.zeros(3, 100, 100)
    for value in (pixels, pixels.numpy(), {"image": pixels}, [pixels], ({"a": [np.zeros(1), pixels]},)):
        assert pixels.nbytes <= bytes_of(value) < pixels.nbytes + 2000
    assert 0 < bytes_of("text") < 100


def test_a_process_does_not_grow_with_what_is_on_disk(tmp_path):
    """2,000 images take 98 MB in memory; the bound is generous, as allocators and collectors take some."""
    found = subprocess.run(
        [sys.executable, "-c", GROWS, "2000"], check=True, capture_output=True, text=True, env=None, timeout=120
    )
    assert int(found.stdout) < 30e6
