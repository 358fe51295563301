from __future__ import annotations

import copy

import pytest
import torch
from method_bench import SPACE, collate, context_of, small_items, small_network
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import BoundarySearch, chosen_rows, label_search
from monai_unlearn.methods.label_search import LabelSearch
from monai_unlearn.methods.noise import image_generators


@pytest.fixture(autouse=True)
def chunks_of_four(monkeypatch):
    monkeypatch.setattr(label_search, "CHUNK_SIZE", 4)


def run(finder: LabelSearch, network: nn.Module, items, **settings) -> LabelSearch:
    finder.run(context_of(network, items, **settings))
    return finder


def test_keeps_the_logits_of_each_image_at_its_own_point():
    items, network = small_items(), small_network().eval()
    boundary = BoundarySearch(epsilon=0.3, steps=3, noise=0.01)
    found = run(LabelSearch(boundary, float32=True), network, items, seed=5)
    batch = collate(items)
    generators = image_generators(5, range(20))
    points = boundary.find(network, batch["image"], batch["label"], pixel_space=SPACE, generators=generators)
    torch.testing.assert_close(found.logits, network(points).detach())
    assert torch.equal(found.classes, batch["label"])
    assert (found.gradients, found.precision) == (60, "float32")


def test_a_larger_limit_begins_with_the_rows_of_a_smaller_one():
    few, many = chosen_rows(100, 5, 3), chosen_rows(100, 50, 3)
    assert torch.equal(many[:5], few)
    assert len(set(many.tolist())) == 50
    assert not torch.equal(few, chosen_rows(100, 5, 4))
    assert torch.equal(chosen_rows(7, None, 0), torch.arange(7))
    assert torch.equal(chosen_rows(7, 9, 0), torch.arange(7))


class Counting(list):
    """Items that record which of them were read."""

    def __init__(self, items):
        super().__init__(items)
        self.read = set()

    def __getitem__(self, index):
        self.read.add(index)
        return super().__getitem__(index)


def test_only_the_images_asked_for_are_read():
    items = Counting(small_items(40))
    finder = run(LabelSearch(BoundarySearch(), limit=6, float32=True), small_network(), items, seed=2)
    # The first item shows how many classes there are.
    assert items.read == {0, *finder.rows.tolist()}
    assert (len(finder.rows), finder.gradients) == (6, 6)
    rest = [row for row in range(40) if row not in finder.rows]
    assert not finder.logits[rest].any()
    assert finder.logits[finder.rows].any(1).all()


def test_leaves_the_network_unchanged():
    network = small_network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    run(LabelSearch(BoundarySearch(steps=3)), network, small_items())
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert network.training


@pytest.mark.parametrize("limit", [None, 12])
@pytest.mark.parametrize("has_bfloat16", [False, True])
def test_no_search_takes_more_gradients_than_planned(limit, has_bfloat16, monkeypatch):
    monkeypatch.setattr(label_search, "has_bfloat16", lambda _: has_bfloat16)
    finder = LabelSearch(BoundarySearch(steps=2), limit=limit)
    planned = finder.planned(20)
    found = run(finder, small_network(), small_items())
    assert found.gradients + found.forwards / 3 <= planned + 1e-9
    assert planned == pytest.approx(2 * ((limit or 20) + 4) + ((limit or 20) + 4 + 2 * 4 + 1) / 3)


@pytest.mark.parametrize("more", [{"float32": True}, {"limit": 8}], ids=["float32", "two chunks"])
def test_what_tries_no_bfloat16_plans_none(more):
    finder = LabelSearch(BoundarySearch(steps=2), **more)
    planned = finder.planned(20)
    found = run(finder, small_network(), small_items())
    assert found.gradients + found.forwards / 3 == pytest.approx(planned)


@pytest.mark.parametrize("has_bfloat16", [False, True])
def test_every_forward_pass_is_counted(has_bfloat16, monkeypatch):
    monkeypatch.setattr(label_search, "has_bfloat16", lambda _: has_bfloat16)
    passed = []

    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = small_network()

        def forward(self, inputs):
            if not torch.is_grad_enabled():
                passed.append(len(inputs))
            return self.network(inputs)

    finder = run(LabelSearch(BoundarySearch(bisection_steps=3)), Counting(), small_items())
    assert finder.forwards == sum(passed)


class Stop(Exception):  # noqa: N818 - simulates a kill
    pass


@pytest.mark.parametrize("after", [1, 2, 4])
@pytest.mark.parametrize("has_bfloat16", [False, True])
def test_a_killed_search_resumes_to_the_same_labels(after, has_bfloat16, monkeypatch):
    monkeypatch.setattr(label_search, "has_bfloat16", lambda _: has_bfloat16)
    items, network = small_items(), small_network()
    boundary = BoundarySearch(epsilon=0.2, steps=2, noise=0.1)
    whole = run(LabelSearch(boundary, diagnostics=True), network, items)
    killed, saved = LabelSearch(boundary, diagnostics=True), []

    def checkpoint():
        saved.append(copy.deepcopy(killed.state_dict()))
        if len(saved) == after:
            raise Stop

    with pytest.raises(Stop):
        run(killed, network, items, checkpoint=checkpoint)
    resumed = LabelSearch(boundary, diagnostics=True)
    resumed.load_state_dict(saved[-1])
    chunks = []
    run(resumed, network, items, checkpoint=lambda: chunks.append(1))
    assert len(chunks) == 5 - after
    assert torch.equal(resumed.logits, whole.logits)
    assert (resumed.gradients, resumed.precision) == (whole.gradients, whole.precision)
    assert resumed.trace.document() == whole.trace.document()


def test_a_complete_search_is_not_run_again():
    items, network = Counting(small_items()), small_network()
    done = run(LabelSearch(BoundarySearch()), network, items)
    again = LabelSearch(BoundarySearch())
    again.load_state_dict(done.state_dict())
    items.read.clear()
    run(again, network, items)
    assert not items.read
    assert torch.equal(again.logits, done.logits)


@pytest.mark.parametrize("resumed", [False, True])
def test_processes_share_the_chunks_and_sum_to_the_result_of_one(resumed):
    items, network = small_items(), small_network()
    boundary = BoundarySearch(epsilon=0.2, noise=0.1)
    alone = run(LabelSearch(boundary, float32=True, diagnostics=True), network, items)
    # The two processes run one after the other; what they pass to the reduction is recorded.
    passed = []
    for rank in range(2):
        finder = LabelSearch(boundary, float32=True, diagnostics=True)
        if resumed:  # both start from the first process's checkpoint after its first chunk
            finder.load_state_dict(first_chunk(boundary, network, items))
        mine = []
        run(finder, network, items, rank=rank, world_size=2, all_reduce_sum=lambda t, mine=mine: mine.append(t) or t)
        passed.append(mine)
    for name, first, second in zip(("logits", "classes", "gradients", "traced"), *passed, strict=True):
        torch.testing.assert_close(first + second, alone.state_dict()[name], rtol=1e-5, atol=1e-6)


def first_chunk(boundary, network, items):
    saved = []
    finder = LabelSearch(boundary, float32=True, diagnostics=True)
    settings = {"rank": 0, "world_size": 2, "checkpoint": lambda: saved.append(copy.deepcopy(finder.state_dict()))}
    run(finder, network, items, **settings)
    return saved[0]


def test_few_chunks_are_searched_in_float32_without_a_trial(monkeypatch):
    monkeypatch.setattr(label_search, "has_bfloat16", lambda _: True)
    found = run(LabelSearch(BoundarySearch()), small_network(), small_items(8))
    assert (found.gradients, found.precision) == (8, "float32")


def test_refuses_the_state_of_another_method():
    with pytest.raises(ConfigError, match="holds steps, but a boundary search keeps logits, .* start from scratch"):
        LabelSearch(BoundarySearch()).load_state_dict({"steps": 3})
    fresh = LabelSearch(BoundarySearch())
    fresh.load_state_dict({})
    assert (fresh.precision, fresh.gradients, fresh.trace) == ("not run", 0, None)
