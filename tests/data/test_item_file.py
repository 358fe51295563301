from __future__ import annotations

import json
from enum import IntEnum

import numpy as np
import pytest
import torch

from monai_unlearn.data.item_file import read_item, to_file
from monai_unlearn.data.record_layout import RecordLayout

BEFORE = {"image": "eye.png", "image_id": "eye", "row": 3}


def content_of(item):
    layout = RecordLayout.of(BEFORE, item)
    return to_file(layout, layout.encode(BEFORE, item))


@pytest.mark.parametrize(
    "value",
    [
        torch.tensor([[0.1, -0.0, float("nan")]]),
        torch.tensor([1, 2], dtype=torch.bfloat16),
        torch.zeros(0, 3),
        torch.tensor(5),
        np.arange(6, dtype=">i2").reshape(2, 3),
        np.float64(0.1),
        np.bool_(1),
        np.datetime64("2024-01-02"),
        True,
        7,
        0.1,
    ],
)
def test_an_item_is_read_as_it_was_with_what_the_transform_left(tmp_path, value):
    item = {"image_id": "eye", "row": 3, "label": value, "image": torch.ones(2, 3)}
    (tmp_path / "item").write_bytes(content_of(item))
    found = read_item(tmp_path / "item", {**BEFORE, "row": 9})
    assert list(found) == list(item)
    assert found["row"] == 9  # as this run numbers it
    assert torch.equal(found["image"], item["image"])
    assert type(found["label"]) is type(value)
    if isinstance(value, (torch.Tensor, np.ndarray)):
        assert (found["label"].dtype, found["label"].shape) == (value.dtype, value.shape)
        assert torch.equal(torch.tensor(_bytes(found["label"])), torch.tensor(_bytes(value)))
    else:
        assert found["label"] == value
    found["image"].zero_()  # memory of its own
    assert torch.equal(read_item(tmp_path / "item", BEFORE)["image"], item["image"])


def _bytes(value):
    if isinstance(value, torch.Tensor):
        value = value.reshape(-1).view(torch.uint8).numpy() if value.numel() else value.numpy()
    return list(value.tobytes())


class Kind(IntEnum):
    EYE = 1


@pytest.mark.parametrize("value", [Kind.EYE, np.zeros(2, dtype=[("x", "f4"), ("y", "i4")])])
def test_what_a_file_could_not_tell_has_none(value):
    assert content_of({"image": value}) is None


def test_a_file_that_is_not_whole_is_none(tmp_path):
    path, content = tmp_path / "item", content_of({"image": torch.ones(2, 3)})
    assert read_item(path, BEFORE) is None
    for broken in (b"", content[:5], content[:40], content[:-1], content + b"0", b"\xff" * 50):
        path.write_bytes(broken)
        assert read_item(path, BEFORE) is None
    head = json.dumps({"keys": ["image"], "fields": [{"kind": "pickle", "dtype": "load"}], "size": 0}).encode()
    path.write_bytes(len(head).to_bytes(8, "little") + head)
    assert read_item(path, BEFORE) is None
