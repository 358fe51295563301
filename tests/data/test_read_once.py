from __future__ import annotations

import os
import pickle
from pathlib import Path

import pandas as pd
import pytest
import torch
from counted_decoding import Decoded, write_items
from monai.data import Dataset
from torch.utils.data import Subset

from monai_unlearn.data import InMemoryDataset
from monai_unlearn.data.content_key import content_key
from monai_unlearn.data.pixel_digest import PixelCheck
from monai_unlearn.data.read_once import check_still, key_of, read_rows
from monai_unlearn.errors import DataError


def counted(n=4, *, lazy=True):
    calls = []
    return InMemoryDataset(list(range(n)), lambda item: calls.append(item) or 10 * item, lazy=lazy), calls


def test_items_are_transformed_once_however_often_they_are_read():
    dataset, calls = counted(3, lazy=False)
    assert calls == [0, 1, 2]
    assert [dataset[row] for row in (0, 1, 2, 1, -1)] == [0, 10, 20, 10, 20]
    assert (len(dataset), calls, list(dataset)) == (3, [0, 1, 2], [0, 10, 20])


def test_a_lazy_one_transforms_what_is_needed():
    dataset, calls = counted()
    assert calls == []
    assert (dataset[2], dataset[2], calls) == (20, 20, [2])
    dataset.read([3, 2, 3])
    assert calls == [2, 3]
    dataset.read()
    assert calls == [2, 3, 0, 1]


def test_a_row_that_does_not_exist_is_refused():
    dataset, _ = counted()
    with pytest.raises(IndexError, match="out of range"):
        dataset[4]


def test_an_error_of_the_transform_is_raised_at_once():
    def refuse(item):
        raise DataError(f"{item}: the image cannot be decoded")

    with pytest.raises(DataError, match="a.png: the image cannot be decoded"):
        InMemoryDataset(["a.png"], refuse)


def test_rows_of_an_augmented_data_set_are_read_where_they_are_held():
    dataset, calls = counted()
    read_rows(Dataset(Dataset(dataset, abs), abs), [1])
    assert calls == [1]
    read_rows([1, 2, 3])
    read_rows(Dataset([1, 2], abs))


def test_progress_is_shown_where_somebody_sees_it(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    dataset, _ = counted()
    dataset.read()
    assert "Reading images" in capsys.readouterr().err
    dataset.read()
    assert capsys.readouterr().err == ""


def test_another_process_gets_no_transform_once_all_is_read():
    """A lambda cannot be pickled; neither is it needed."""
    dataset, _ = counted()
    with pytest.raises(Exception, match="[Cc]an't (pickle|get local)"):
        pickle.dumps(dataset)
    dataset.read()
    assert list(pickle.loads(pickle.dumps(dataset))) == [0, 10, 20, 30]  # noqa: S301 - its own


def test_a_file_that_changes_before_it_is_read_is_refused(tmp_path):
    path = tmp_path / "eye.png"
    path.write_bytes(b"pixels")
    items, pixels = [{"image_id": "eye", "image": str(path)}], PixelCheck(pd.DataFrame(index=["eye"]))
    check_still(items[0], pixels)
    pixels.check(items)
    dataset = InMemoryDataset(items, lambda item: Path(item["image"]).read_bytes(), pixels=pixels, lazy=True)
    os.utime(path, ns=(1, 1))
    with pytest.raises(
        DataError, match=r"a file changed while the run was using it: eye \(their paths are in the index"
    ):
        dataset.read()


def test_read_rows_of_a_subset():
    images = InMemoryDataset(list(range(10)), lambda item: -item, lazy=True)
    read_rows(Subset(images, [7, 2, 5]))
    assert sorted(images._results) == [2, 5, 7]
    read_rows(Subset(Subset(images, [7, 2, 9, 4]), [3, 2]), rows=[0])
    assert sorted(images._results) == [2, 4, 5, 7]


def test_the_key_of_a_data_set_is_that_of_its_items_in_order(tmp_path):
    items = write_items(tmp_path / "images")
    images = InMemoryDataset(items, Decoded(), lazy=True)
    assert key_of(images) == images.key == content_key(items, Decoded(), None) is not None
    some = [key_of(Subset(images, rows)) for rows in ([0, 1], [1, 0], torch.tensor([0, 1]))]
    assert some[0] == some[2] not in {some[1], images.key, None}
    assert key_of(Subset(Subset(images, [0, 1]), [1])) is not None
    for unknown in (InMemoryDataset(items, lambda item: item, lazy=True), items, Dataset(images, Decoded())):
        assert key_of(unknown) is None
        assert key_of(Subset(unknown, [0])) is None
