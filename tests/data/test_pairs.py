from __future__ import annotations

import pytest
import torch

from monai_unlearn.data import PairedLoader
from monai_unlearn.errors import DataError


def items(n: int, start: int = 0) -> list[dict]:
    return [{"image": torch.zeros(1), "row": start + i} for i in range(n)]


def rows(loader: PairedLoader, part: str) -> list[int]:
    return [row for batch in loader for row in batch[part]["row"].tolist()]


def test_an_epoch_sees_every_forget_image_once():
    loader = PairedLoader(forget=items(10), remain=items(7), batch_size=4, remain_batch_size=3)
    assert len(loader) == 3
    assert sorted(rows(loader, "forget")) == list(range(10))


def test_remain_images_go_round():
    loader = PairedLoader(forget=items(10), remain=items(3), batch_size=2, remain_batch_size=3)
    assert sorted(rows(loader, "remain")) == sorted([0, 1, 2] * 5)


def test_cost_of_an_epoch_does_not_grow_with_the_archive():
    small, large = (PairedLoader(forget=items(10), remain=items(n)) for n in (40, 4000))
    assert len(small) == len(large)
    assert len(rows(small, "remain")) == len(rows(large, "remain"))


@pytest.mark.parametrize("workers", [0, 2])
def test_order_depends_on_the_seed_alone(workers):
    def order(seed, num_workers):
        loader = PairedLoader(forget=items(20), remain=items(30), batch_size=4, seed=seed, num_workers=num_workers)
        return [rows(loader, "forget"), rows(loader, "remain")]

    assert order(3, workers) == order(3, 0)
    assert order(4, workers) != order(3, 0)


@pytest.mark.parametrize(("forget", "remain", "part"), [(0, 3, "forget"), (3, 0, "remain")])
def test_refuses_an_empty_part(forget, remain, part):
    with pytest.raises(DataError, match=f"the {part} part has no training image"):
        PairedLoader(forget=items(forget), remain=items(remain))
