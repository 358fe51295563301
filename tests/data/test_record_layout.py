from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from monai_unlearn.data.record_layout import RecordLayout
from monai_unlearn.errors import ConfigError, DataError

TYPES = [torch.float32, torch.float64, torch.bfloat16, torch.uint8, torch.int64, torch.bool, torch.complex64]


def passed(before, item):
    """Return an item after it was on disk."""
    layout = RecordLayout.of(before, item)
    record = layout.encode(before, item)
    assert len(record) == layout.size
    return layout.decode(before, bytearray(record))


@given(st.sampled_from(TYPES), st.lists(st.integers(0, 4), max_size=4), st.integers(0, 2**31))
def test_a_tensor_comes_back_bit_for_bit(dtype, shape, seed):
    values = torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)
    found = passed({"image": "a"}, {"flag": 1, "image": values})["image"]
    assert (found.dtype, found.shape) == (dtype, values.shape)
    assert torch.equal(found, values)


def test_values_that_are_not_finite_come_back_too():
    values = torch.tensor([float("nan"), float("inf"), -0.0])
    found = passed({}, {"image": values})["image"]
    assert found.view(torch.int32).tolist() == values.view(torch.int32).tolist()


def test_a_strided_tensor_comes_back_with_its_values():
    values = torch.arange(6.0).reshape(2, 3).T
    assert torch.equal(passed({}, {"image": values})["image"], values)


def test_items_keep_their_keys_types_and_order():
    before = {"image": "a.png", "label": 1, "image_id": "a", "gone": 3}
    item = {
        "label": 1,
        "image": torch.ones(2, dtype=torch.uint8),
        "image_id": "a",
        "mask": np.arange(4, dtype=np.int16).reshape(2, 2),
        "weight": 0.5,
        "count": 3,
        "is_left": True,
        "scale": np.float32(0.1),
    }
    found = passed(before, item)
    assert list(found) == list(item)
    assert {key: type(value) for key, value in found.items()} == {key: type(value) for key, value in item.items()}
    assert np.array_equal(found["mask"], item["mask"])
    assert {key: found[key] for key in ("label", "image_id", "weight", "count", "is_left", "scale")} == {
        key: item[key] for key in ("label", "image_id", "weight", "count", "is_left", "scale")
    }


def test_what_comes_back_can_be_written_to():
    passed({}, {"image": torch.ones(2)})["image"] += 1


@pytest.mark.parametrize(
    ("item", "found"),
    [
        ("text", "a str"),
        ({"image": torch.ones(1), "note": "new"}, "a str as 'note'"),
        ({"image": torch.ones(1), "meta": {"a": 1}}, "a dict as 'meta'"),
        ({"image": np.array([object()])}, "a ndarray as 'image'"),
    ],
)
def test_what_would_need_pickle_is_refused(item, found):
    with pytest.raises(ConfigError, match=f"tensors, arrays and numbers, but it has {found}. Delete it at the end of"):
        RecordLayout.of({"image": "a.png"}, item)


@pytest.mark.parametrize("image", [torch.ones(1, 3), torch.ones(1, 2, dtype=torch.float64)])
def test_an_image_of_another_shape_or_type_is_named(image):
    layout = RecordLayout.of({}, {"image": torch.ones(1, 2)})
    with pytest.raises(
        DataError, match=r"image eye-7: expected image torch.float32 \(1, 2\) as of the first image, got"
    ):
        layout.encode({"image_id": "eye-7"}, {"image": image})
