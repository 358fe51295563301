from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.data import list_data_collate

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


def test_a_batch_is_what_monai_makes_of_the_items():
    before = [{"image": f"{row}.png", "label": row % 2, "image_id": str(row)} for row in range(3)]
    items = [
        {
            "image": torch.full((2, 3), row / 7),
            "image_id": item["image_id"],
            "mask": torch.tensor([row > 1, True]),
            "weight": row / 3,
            "array": np.full(2, row),
            "none": torch.empty(0),
            "number": torch.tensor(row),
            "label": item["label"],
        }
        for row, item in enumerate(before)
    ]
    layout = RecordLayout.of(before[0], items[0])
    rows = [layout.encode(one, item) for one, item in zip(before, items, strict=True)]
    records = torch.frombuffer(bytearray(b"".join(rows)), dtype=torch.uint8).reshape(3, -1)
    found, expected = layout.decode_batch(before, records), list_data_collate(items)
    assert list(found) == list(expected)
    for key, value in expected.items():
        assert type(found[key]) is type(value)
        if isinstance(value, torch.Tensor):
            assert (found[key].dtype, found[key].shape) == (value.dtype, value.shape)
            assert torch.equal(found[key], value)
            assert found[key].is_contiguous()
        else:
            assert found[key] == value
