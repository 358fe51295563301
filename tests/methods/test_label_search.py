from __future__ import annotations

import copy

import pytest
import torch
from method_bench import SPACE, collate, context_of, small_items, small_network
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import BoundarySearch, chosen_rows, search
from monai_unlearn.methods.noise import image_generators
from monai_unlearn.methods.search import LabelSearch, has_bfloat16


@pytest.fixture(autouse=True)
def pieces_of_four(monkeypatch):
    monkeypatch.setattr(search, "PIECE", 4)


def run(finder: LabelSearch, network: nn.Module, items, **settings) -> LabelSearch:
    finder.run(context_of(network, items, **settings))
    return finder


def test_reads_each_image_at_its_own_point():
    items, network = small_items(), small_network().eval()
    boundary = BoundarySearch(epsilon=0.3, steps=3, noise=0.01)
    found = run(LabelSearch(boundary, float32=True), network, items, seed=5)
    batch = collate(items)
    generators = image_generators(5, range(20))
    points = boundary.find(network, batch["image"], batch["label"], pixel_space=SPACE, generators=generators)
    torch.testing.assert_close(found.logits, network(points).detach())
    assert torch.equal(found.classes, batch["label"])
    assert (found.gradients, found.form) == (60, "float32")


def test_a_larger_choice_begins_with_a_smaller_one():
    few, many = chosen_rows(100, 5, 3), chosen_rows(100, 50, 3)
    assert torch.equal(many[:5], few)
    assert len(set(many.tolist())) == 50
    assert not torch.equal(few, chosen_rows(100, 5, 4))
    assert torch.equal(chosen_rows(7, None, 0), torch.arange(7))
    assert torch.equal(chosen_rows(7, 9, 0), torch.arange(7))


class Counting(list):
    """Items that remember which were asked for."""

    def __init__(self, items):
        super().__init__(items)
        self.asked = set()

    def __getitem__(self, index):
        self.asked.add(index)
        return super().__getitem__(index)


def test_only_the_images_asked_for_are_looked_at():
    items = Counting(small_items(40))
    finder = run(LabelSearch(BoundarySearch(), limit=6, float32=True), small_network(), items, seed=2)
    # The first item says how many classes there are.
    assert items.asked == {0, *finder.rows.tolist()}
    assert (len(finder.rows), finder.gradients) == (6, 6)
    rest = [row for row in range(40) if row not in finder.rows]
    assert not finder.logits[rest].any()
    assert finder.logits[finder.rows].any(1).all()


def test_leaves_the_network_as_it_is():
    network = small_network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    run(LabelSearch(BoundarySearch(steps=3)), network, small_items())
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert network.training


class Stop(Exception):  # noqa: N818 - what stands for a kill
    pass


@pytest.mark.parametrize("after", [1, 2, 4])
@pytest.mark.parametrize("quick", [False, True])
def test_a_search_that_was_cut_off_goes_on_to_the_same_labels(after, quick, monkeypatch):
    monkeypatch.setattr(search, "has_bfloat16", lambda _: quick)
    items, network = small_items(), small_network()
    boundary = BoundarySearch(epsilon=0.2, steps=2, noise=0.1)
    whole = run(LabelSearch(boundary, diagnostics=True), network, items)
    cut, saved = LabelSearch(boundary, diagnostics=True), []

    def keep():
        saved.append(copy.deepcopy(cut.state_dict()))
        if len(saved) == after:
            raise Stop

    with pytest.raises(Stop):
        run(cut, network, items, keep=keep)
    resumed = LabelSearch(boundary, diagnostics=True)
    resumed.load_state_dict(saved[-1])
    kept = []
    run(resumed, network, items, keep=lambda: kept.append(1))
    assert len(kept) == 5 - after
    assert torch.equal(resumed.logits, whole.logits)
    assert (resumed.gradients, resumed.form) == (whole.gradients, whole.form)
    assert resumed.trace.document() == whole.trace.document()


def test_a_finished_search_is_not_run_again():
    items, network = Counting(small_items()), small_network()
    done = run(LabelSearch(BoundarySearch()), network, items)
    again = LabelSearch(BoundarySearch())
    again.load_state_dict(done.state_dict())
    items.asked.clear()
    run(again, network, items)
    assert not items.asked
    assert torch.equal(again.logits, done.logits)


@pytest.mark.parametrize("resumed", [False, True])
def test_processes_share_the_pieces_and_add_up_to_one(resumed):
    items, network = small_items(), small_network()
    boundary = BoundarySearch(epsilon=0.2, noise=0.1)
    alone = run(LabelSearch(boundary, float32=True, diagnostics=True), network, items)
    # What the processes hold before they add up, gathered by playing them one after the other.
    held, finders = [], []
    for rank in range(2):
        finder = LabelSearch(boundary, float32=True, diagnostics=True)
        if resumed:  # both begin from what the first process had kept after its first piece
            finder.load_state_dict(first_piece(boundary, network, items))
        mine = []
        run(finder, network, items, rank=rank, world_size=2, all_reduce_sum=lambda t, mine=mine: mine.append(t) or t)
        held.append(mine)
        finders.append(finder)
    for name, first, second in zip(("logits", "classes", "gradients", "traced"), *held, strict=True):
        torch.testing.assert_close(first + second, alone.state_dict()[name], rtol=1e-5, atol=1e-6)


def first_piece(boundary, network, items):
    saved = []
    finder = LabelSearch(boundary, float32=True, diagnostics=True)
    run(finder, network, items, rank=0, world_size=2, keep=lambda: saved.append(copy.deepcopy(finder.state_dict())))
    return saved[0]


def test_bfloat16_goes_on_only_where_the_first_labels_agree(monkeypatch):
    monkeypatch.setattr(search, "has_bfloat16", lambda _: True)
    items, network = small_items(), small_network()
    plain = run(LabelSearch(BoundarySearch(epsilon=0.3), float32=True), network, items)
    quick = run(LabelSearch(BoundarySearch(epsilon=0.3)), network, items)
    assert quick.form == "bfloat16, channels last"
    assert quick.reads_in_bfloat16
    assert not plain.reads_in_bfloat16
    assert quick.gradients == 20 + 4
    assert torch.equal(quick.logits.argmax(1), plain.logits.argmax(1))
    assert torch.equal(quick.logits[:4], plain.logits[:4])

    flipped = [-1.0]
    honest = search._in_bfloat16
    monkeypatch.setattr(search, "_in_bfloat16", lambda frozen: lambda images: flipped[0] * honest(frozen)(images))
    refused = run(LabelSearch(BoundarySearch(epsilon=0.9)), network, items)
    assert refused.form == "float32"
    assert not refused.reads_in_bfloat16
    assert torch.equal(
        refused.logits, run(LabelSearch(BoundarySearch(epsilon=0.9), float32=True), network, items).logits
    )


def test_few_pieces_are_not_worth_a_trial(monkeypatch):
    monkeypatch.setattr(search, "has_bfloat16", lambda _: True)
    assert run(LabelSearch(BoundarySearch()), small_network(), small_items(8)).gradients == 8


@pytest.mark.parametrize(("flags", "expected"), [({"avx512_bf16": True}, True), ({"avx2": True}, False), (None, False)])
def test_the_processor_says_what_it_can_do(flags, expected, monkeypatch):
    if flags is None:
        monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    else:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: flags, raising=False)
    assert has_bfloat16(torch.device("cpu")) is expected
    assert not has_bfloat16(torch.device("meta"))


def test_refuses_the_state_of_something_else():
    with pytest.raises(ConfigError, match="holds steps where a boundary search keeps logits"):
        LabelSearch(BoundarySearch()).load_state_dict({"steps": 3})
    fresh = LabelSearch(BoundarySearch())
    fresh.load_state_dict({})
    assert (fresh.form, fresh.gradients, fresh.trace) == ("not run", 0, None)
