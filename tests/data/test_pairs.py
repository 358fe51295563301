from __future__ import annotations

import itertools

import pytest
import torch
from monai.data import Dataset
from monai.transforms import Compose, RandGaussianNoised

from monai_unlearn.data import PairedLoader
from monai_unlearn.errors import ConfigError, DataError


def items(n: int, start: int = 0) -> list[dict]:
    return [{"image": torch.zeros(1), "row": start + i} for i in range(n)]


def rows(batches, part: str) -> list[int]:
    return [row for batch in batches for row in batch[part]["row"].tolist()]


def take(loader: PairedLoader, n: int, **where) -> list[dict]:
    return list(itertools.islice(loader.batches(**where), n))


def test_each_round_has_every_image_once_in_another_order():
    loader = PairedLoader(forget=items(10), remain=items(7), batch_size=4, remain_batch_size=3)
    assert len(loader) == 3
    order = rows(take(loader, 5), "forget")
    assert sorted(order[:10]) == sorted(order[10:]) == list(range(10))
    assert order[:10] != order[10:]


def test_parts_rounds_and_neighbouring_seeds_have_orders_of_their_own():
    everything = {"forget": items(20), "remain": items(20), "batch_size": 20, "remain_batch_size": 20}
    loaders = [PairedLoader(**everything, seed=seed) for seed in range(4)]
    orders = [tuple(one.rows(step, part)) for one in loaders for step in range(3) for part in ("forget", "remain")]
    assert len(set(orders)) == len(orders)


def test_orders_are_those_of_earlier_versions():
    """Another derivation of the seeds would change the weights of every seeded run."""
    loader = PairedLoader(forget=items(20), remain=items(30), batch_size=20, remain_batch_size=30, seed=3)
    for part, seed, length in (("forget", 6, 20), ("remain", 7, 30)):
        order = torch.randperm(length, generator=torch.Generator().manual_seed(seed * 1_000_003 + 2)).tolist()
        assert loader.rows(2, part) == order


def test_an_epoch_is_as_many_full_batches_as_one_pass_needs():
    loader = PairedLoader(forget=items(10), remain=items(3), batch_size=4, remain_batch_size=32)
    epoch = list(loader)
    assert [len(batch["forget"]["row"]) for batch in epoch] == [4, 4, 4]
    assert set(rows(epoch, "forget")) == set(range(10))
    assert sorted(rows(epoch, "remain")) == sorted([0, 1, 2] * 3)


def test_cost_of_an_epoch_does_not_grow_with_the_archive():
    small, large = (PairedLoader(forget=items(10), remain=items(n)) for n in (40, 4000))
    assert len(small) == len(large)
    assert len(rows(small, "remain")) == len(rows(large, "remain"))


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("start", [0, 1, 7])
def test_a_batch_depends_on_the_seed_and_its_number_alone(workers, start):
    def order(seed, num_workers, first, number):
        loader = PairedLoader(forget=items(20), remain=items(30), batch_size=6, seed=seed, num_workers=num_workers)
        batches = take(loader, number, start=first)
        return [rows(batches, "forget"), rows(batches, "remain")]

    whole = order(3, 0, 0, start + 3)
    assert order(3, workers, start, 3) == [whole[0][start * 6 :], whole[1][start * 30 :]]
    assert order(4, workers, start, 3) != order(3, workers, start, 3)


@pytest.mark.parametrize("workers", [0, 2])
def test_random_transforms_depend_on_the_number_of_the_batch(workers):
    def images(num_workers, first):
        noisy = Dataset(items(6), Compose([RandGaussianNoised(keys="image", prob=1.0)]))
        loader = PairedLoader(forget=noisy, remain=items(4), batch_size=2, num_workers=num_workers)
        return torch.stack([batch["forget"]["image"] for batch in take(loader, 3, start=first)])

    assert torch.equal(images(workers, 2)[0], images(0, 0)[2])
    assert not torch.equal(images(0, 0)[1], images(0, 0)[2])


def test_parts_that_a_batch_leaves_out_are_not_read():
    class Unread:
        def __len__(self):
            return 4

        def __getitem__(self, row):
            raise AssertionError(row)

    loader = PairedLoader(forget=Unread(), remain=items(4), batch_size=2)
    assert [set(batch) for batch in take(loader, 2, parts_of=lambda _step: ["remain"])] == [{"remain"}] * 2


@pytest.mark.parametrize("workers", [0, 2])
def test_restart_discards_what_was_read_ahead(workers):
    wanted = ["forget", "remain"]
    loader = PairedLoader(forget=items(20), remain=items(30), batch_size=4, num_workers=workers)
    batches = loader.batches(parts_of=lambda _step: list(wanted))
    assert set(next(batches)) == {"forget", "remain"}
    wanted.remove("forget")
    batches.restart()
    second = next(batches)
    assert set(second) == {"remain"}
    assert second["remain"]["row"].tolist() == loader.rows(1, "remain")


def test_processes_share_a_batch():
    loader = PairedLoader(forget=items(8), remain=items(9), batch_size=4, remain_batch_size=6)
    shares = [take(loader, 3, rank=rank, world_size=2) for rank in range(2)]
    for step in range(3):
        for part in ("forget", "remain"):
            first, second = (rows([share[step]], part) for share in shares)
            assert [*itertools.chain(*zip(first, second, strict=True))] == loader.rows(step, part)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        (
            {"batch_size": 5},
            "batch of 5 forget images cannot be divided equally among 2 processes: give --batch_size 4",
        ),
        ({"batch_size": 4}, "7 remain images cannot be divided equally among 2 processes: give --remain_batch_size 6"),
    ],
)
def test_refuses_batches_that_cannot_be_divided_equally(sizes, message):
    with pytest.raises(ConfigError, match=message):
        PairedLoader(forget=items(8), remain=items(7), **sizes).batches(world_size=2)


@pytest.mark.parametrize(("forget", "remain", "part"), [(0, 3, "forget"), (3, 0, "remain")])
def test_refuses_an_empty_part(forget, remain, part):
    with pytest.raises(DataError, match=f"the {part} part has no training image"):
        PairedLoader(forget=items(forget), remain=items(remain))


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"remain_batch_size": -1}, {"num_workers": -1}])
def test_refuses_sizes_out_of_range(wrong):
    with pytest.raises(ConfigError, match="expected batch_size and remain_batch_size of at least 1"):
        PairedLoader(forget=items(3), remain=items(3), **wrong)


def labelled(count, classes):
    return [{"image": float(row), "label": row % classes, "row": row} for row in range(count)]


def test_labels_can_be_left_out_and_the_others_fill_the_batch():
    loader = PairedLoader(forget=labelled(9, 3), remain=labelled(9, 3), batch_size=4, remain_batch_size=2, seed=1)
    assert (loader.forget_labels, loader.forget_classes) == ((0, 1, 2) * 3, (0, 1, 2))
    drawn = [loader.rows(step, "forget", without=(1,)) for step in range(6)]
    assert all(len(rows) == 4 and {row % 3 for row in rows} <= {0, 2} for rows in drawn)
    # Each round of the six images that are left has every one of them.
    flat = [row for rows in drawn for row in rows]
    assert all(sorted(flat[start : start + 6]) == [0, 2, 3, 5, 6, 8] for start in (0, 6, 12, 18))
    assert drawn == [loader.rows(step, "forget", without={1, 7}) for step in range(6)]
    assert loader.rows(3, "forget", without=()) == loader.rows(3, "forget")
    assert loader.rows(3, "remain", without=(1,)) == loader.rows(3, "remain")
    assert [row % 3 for row in loader.rows(0, "forget", without=(0, 1))] == [2] * 4


def test_two_processes_share_what_is_left():
    loader = PairedLoader(forget=labelled(9, 3), remain=labelled(9, 3), batch_size=4, remain_batch_size=2, seed=1)
    whole, *shares = (
        next(loader.batches(rank=rank, world_size=size, without=lambda: (0,)))["forget"]["row"].tolist()
        for rank, size in ((0, 1), (0, 2), (1, 2))
    )
    assert whole == loader.rows(0, "forget", without=(0,))
    assert shares == [whole[::2], whole[1::2]]
