from __future__ import annotations

import pytest
import torch

from monai_unlearn.engine.memory import in_micro_batches, is_out_of_memory, smallest_part

BATCH = {part: {"image": torch.arange(n), "name": list("abcdefgh"[:n]), "meta": 1} for part, n in (("a", 5), ("b", 8))}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."), True),
        (MemoryError(), True),
        (RuntimeError("size mismatch"), False),
        (ValueError("can't allocate memory"), False),
    ],
    ids=repr,
)
def test_errors_of_lack_of_memory_are_recognised(error, expected):
    assert is_out_of_memory(error) is expected


def test_each_micro_batch_holds_an_equal_share_of_every_part():
    micro_batches = in_micro_batches(BATCH, 2)
    assert [{part: len(items["image"]) for part, items in found.items()} for found in micro_batches] == [
        {"a": 2, "b": 4},
        {"a": 3, "b": 4},
    ]


@pytest.mark.parametrize("count", range(1, 6))
def test_micro_batches_hold_every_image_once_and_in_order(count):
    micro_batches = in_micro_batches(BATCH, count)
    assert len(micro_batches) == count
    for part, items in BATCH.items():
        assert torch.equal(torch.cat([found[part]["image"] for found in micro_batches]), items["image"])
        assert [name for found in micro_batches for name in found[part]["name"]] == items["name"]
        assert {found[part]["meta"] for found in micro_batches} == {1}


def test_the_smallest_part_limits_the_number_of_micro_batches():
    assert smallest_part(BATCH) == 5
