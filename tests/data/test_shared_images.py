"""Images that runs share: decoded once, equal to those that each run decodes for itself, and never required."""

from __future__ import annotations

import os
import shutil
import threading

import pytest
import torch
from counted_decoding import Decoded, decoded, write_items
from monai.data import MetaTensor
from monai.data.utils import set_rnd
from monai.transforms import Compose, RandFlip, Resized, ScaleIntensityd, SpatialPadd
from tiny import tiny_index, tiny_spec

from monai_unlearn.data import LoadImage2Dd, open_data, subset_datasets
from monai_unlearn.data.held import hold
from monai_unlearn.data.on_disk import OnDiskDataset
from monai_unlearn.data.read_once import InMemoryDataset
from monai_unlearn.data.shared_images import FOLDER, SharedImages
from monai_unlearn.vocabulary.run_folder import SHARED_FOLDER


@pytest.fixture
def folder(tmp_path, monkeypatch):
    made = tmp_path / "shared"
    made.mkdir(mode=0o700)
    monkeypatch.setenv(SHARED_FOLDER, str(made))
    return made


@pytest.fixture
def items(tmp_path):
    return write_items(tmp_path / "images")


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


def run(tmp_path, items, log, *, memory="auto", cache_dir=None, **more):
    """Hold images as a run does, and read them all; the environment decides whether they are shared."""
    transform = Decoded(log=str(log), **more)
    shared = SharedImages.of(transform, pixels=None, cache_dir=cache_dir)
    where = tmp_path / "scratch"
    [held] = hold({"a": items}, transform, pixels=None, memory=memory, cache_dir=where, shared=shared).values()
    held.read()
    return held


def pixels(held):
    return [held[row]["image"].tolist() for row in range(len(held))]


@pytest.mark.parametrize("first", ["auto", 0])
@pytest.mark.parametrize("second", ["auto", 0])
@pytest.mark.usefixtures("folder")
def test_a_second_run_decodes_nothing(tmp_path, items, log, first, second):
    expected = pixels(run(tmp_path, items, log, memory=first))
    assert decoded(log) == [0, 1, 2, 3, 4, 5]
    again = run(tmp_path, items, log, memory=second)
    assert decoded(log) == [0, 1, 2, 3, 4, 5]
    assert pixels(again) == expected == [[row, 2 * row, 7] for row in range(6)]
    assert type(again) is (InMemoryDataset if second == "auto" else OnDiskDataset)
    assert {**again[1], "image": None} == {**items[1], "image": None}


@pytest.mark.usefixtures("folder")
def test_another_cohort_of_the_same_images_decodes_those_alone_that_are_new(tmp_path, items, log):
    run(tmp_path, items[:4], log)
    other = [{**item, "row": row} for row, item in enumerate(reversed(items))]
    held = run(tmp_path, other, log)
    assert pixels(held) == [[row, 2 * row, 7] for row in (5, 4, 3, 2, 1, 0)]
    assert [held[row]["row"] for row in range(6)] == [0, 1, 2, 3, 4, 5]
    assert len(decoded(log)) == 6


@pytest.mark.usefixtures("folder")
def test_another_file_label_or_transform_is_decoded(tmp_path, items, log):
    run(tmp_path, items, log)
    with open(items[2]["image"], "wb") as stream:  # noqa: PTH123 - the path is a text
        stream.write(b"abcd")
    assert pixels(run(tmp_path, items, log))[2] == list(b"abcd")
    assert decoded(log) == [0, 1, 2, 2, 3, 4, 5]
    run(tmp_path, [{**item, "label": 5} for item in items], log)
    assert len(decoded(log)) == 7 + 6
    run(tmp_path, items, tmp_path / "another log")
    assert len(decoded(tmp_path / "another log")) == 6


def test_without_the_variable_nothing_is_shared(tmp_path, items, log, folder, monkeypatch):
    monkeypatch.delenv(SHARED_FOLDER)
    for _ in range(2):
        run(tmp_path, items, log)
    assert len(decoded(log)) == 12
    assert list(folder.iterdir()) == []


def test_a_folder_that_others_can_write_to_is_not_trusted(tmp_path, items, log, folder):
    folder.chmod(0o770)
    run(tmp_path, items, log)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("place", "is_shared"), [("elsewhere", False), (".", True)])
def test_images_stay_in_the_place_that_the_user_names(tmp_path, items, log, folder, place, is_shared):
    run(tmp_path, items, log, cache_dir=tmp_path / place)
    assert (folder / FOLDER).is_dir() == is_shared


def test_a_run_outlives_the_folder_and_does_not_make_it_again(tmp_path, items, log, folder):
    shared = SharedImages.of(Decoded(log=str(log)), pixels=None, cache_dir=None)
    shutil.rmtree(folder)
    assert shared.transformed(items[1])["image"].tolist() == [1, 2, 7]
    assert not folder.exists()


def test_a_full_disk_ends_sharing_and_not_the_run(tmp_path, items, log, folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.write_bytes", full)
        assert len(run(tmp_path, items, log)) == 6
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    usage = shutil.disk_usage(tmp_path)._replace(free=100)
    monkeypatch.setattr("monai_unlearn.data.shared_images.shutil.disk_usage", lambda _: usage)
    run(tmp_path, items, log)
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 1  # that by which the place is chosen


@pytest.mark.usefixtures("folder")
def test_runs_that_start_at_once_get_the_same(tmp_path, items, log):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(pixels(run(tmp_path, items, log, memory=0)))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[[row, 2 * row, 7] for row in range(6)]] * 4


class Numbers(Decoded):
    def __call__(self, item):
        return {**super().__call__(item), "row": torch.tensor(item["row"])}


def test_what_holds_its_number_in_the_list_is_not_shared(items, folder):
    shared = SharedImages.of(Numbers(), pixels=None, cache_dir=None)
    assert shared.transformed(items[3])["row"] == 3
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("item", [{"image_id": "a"}, 3, {"image": "nowhere.raw", "image_id": "a"}])
@pytest.mark.usefixtures("folder")
def test_what_is_no_file_is_left_to_the_transform(item):
    class Given(Decoded):
        def __call__(self, item):
            return item

    shared = SharedImages(Given, lambda given: given, digest="", pixels=None)
    assert shared.transformed(item) is item


def test_items_equal_those_that_are_not_shared_bit_for_bit(tmp_path, folder, monkeypatch):
    tiny_index(tmp_path)
    transform = Compose(
        [
            LoadImage2Dd(keys="image"),
            Resized(keys="image", spatial_size=(11, 11)),
            SpatialPadd(keys="image", spatial_size=(12, 13)),
            ScaleIntensityd(keys="image"),
        ]
    )

    def subsets():
        data = open_data(index_dir=tmp_path / "index", cohort_spec=tiny_spec(tmp_path), class_names=("up", "down"))
        return subset_datasets(data=data, transform=transform)

    first, second = subsets(), subsets()
    assert len([path for path in (folder / FOLDER).rglob("*") if path.is_file()]) > 20
    monkeypatch.delenv(SHARED_FOLDER)
    alone = subsets()
    assert list(first) == list(second) == list(alone)
    for subset, images in alone.items():
        for row in range(len(images)):
            expected = images[row]
            for other in (first[subset][row], second[subset][row]):
                assert list(other) == list(expected)
                assert torch.equal(other["image"], expected["image"])
                assert type(other["image"]) is torch.Tensor
                assert isinstance(expected["image"], (torch.Tensor, MetaTensor))
                assert {**other, "image": 0} == {**expected, "image": 0}


@pytest.mark.parametrize("memory", ["auto", 0])
def test_random_transforms_get_the_seeds_that_they_get_without_sharing(
    tmp_path, items, log, folder, monkeypatch, memory
):
    seeds = []
    for _ in range(2):
        images = run(tmp_path, items, log, memory=memory, random=RandFlip())
        seeds.append(set_rnd(images, seed=3))
        monkeypatch.delenv(SHARED_FOLDER, raising=False)
    assert (folder / FOLDER).is_dir()
    assert seeds[0] == seeds[1] > 3


def test_the_files_are_in_the_folder_of_the_experiment_alone(tmp_path, items, log, folder):
    run(tmp_path, items, log)
    assert os.stat(folder).st_mode & 0o077 == 0  # noqa: PTH116 - as elsewhere here
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "log", "shared"]
