from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from camera_networks import camera_images, camera_network
from method_bench import context_of

from monai_unlearn.methods import depth_choice
from monai_unlearn.methods.depth_choice import ERROR, GAIN, MOST, DepthChoice, choose_depth, most_images

REST = camera_images(240, seed=1)


def chosen(network, cohort, rest=REST, **settings):
    return choose_depth(context_of(network, cohort, remain=rest, **settings))


@pytest.mark.parametrize(("learnt_in", "depth"), [(0, "all"), (1, 2), (2, "last_block"), (None, "last_block")])
def test_a_camera_is_forgotten_from_the_block_on_that_learnt_it(learnt_in, depth):
    found = chosen(camera_network(learnt_in), camera_images(120, inverted=True))
    assert found.depth == depth
    for place, block in enumerate(found.blocks):
        learnt = learnt_in is not None and place >= learnt_in
        assert (block["transfer"] > 0.9) is learnt
        assert block["transfer_fresh"] < 0.5
        assert (block["gain_low"] > 0) is learnt


def test_a_device_that_anything_reads_is_no_cause_to_go_deep():
    """Every block tells it from the rest, and every block of a fresh network reads it."""
    found = chosen(camera_network(0), camera_images(120, gain=1.3))
    assert found.depth == "last_block"
    assert all(block["auc_low"] > 0.5 for block in found.blocks)
    assert all(block["gain"] < 0.4 for block in found.blocks)


def test_some_patients_are_forgotten_with_the_last_block():
    found = chosen(camera_network(1), camera_images(120, seed=5))
    assert found.depth == "last_block"
    assert all(block["auc_low"] < 0.5 < block["auc_high"] for block in found.blocks)


def test_part_of_a_class_is_forgotten_with_the_last_block():
    cohort = [item for item in camera_images(150, seed=5) if item["label"] == 2]
    assert chosen(camera_network(1), cohort).depth == "last_block"


class NoReset(torch.nn.Module):
    """A layer with weights of its own and no way to initialise them, as position embeddings are."""

    def __init__(self):
        super().__init__()
        self.shift = torch.nn.Parameter(torch.zeros(1))

    def forward(self, images):
        return images + self.shift


def test_without_a_fresh_network_to_compare_with_it_is_the_last_block():
    network = torch.nn.Sequential(NoReset(), *camera_network(0))
    found = chosen(network, camera_images(120, inverted=True))
    assert (found.depth, found.blocks) == ("last_block", ())
    assert "no untrained network to compare with" in found.why


def test_a_class_is_forgotten_with_the_head():
    cohort = [item for item in camera_images(120, seed=5) if item["label"] == 2]
    rest = [item for item in REST if item["label"] != 2]
    found = chosen(camera_network(0), cohort, rest)
    assert (found.depth, found.blocks) == ("head", ())
    assert found.images == len(cohort) + len(rest) + 2
    # Half of the cohort's images in a class that remains: no class cohort.
    assert chosen(camera_network(0), [*cohort, *rest[:40]], rest).depth != "head"


def test_a_class_of_which_few_images_remain_is_not_taken_for_one_that_is_gone(monkeypatch):
    monkeypatch.setattr(depth_choice, "MOST", {**MOST, "remain": 60})
    cohort = [item for item in camera_images(120, seed=5) if item["label"] == 2]
    others = [item for item in camera_images(900) if item["label"] != 2]
    rest, rare = list(others), [item for item in REST if item["label"] == 2][:3]
    # By chance alone, the sample of seed 0 has none of the three.
    last = torch.randperm(len(others), generator=torch.Generator().manual_seed(0))[-3:].tolist()
    for row, item in zip(last, rare, strict=True):
        rest[row] = item
    labels = [item["label"] for item in rest]
    assert chosen(camera_network(0), cohort, rest).depth == "head"
    found = chosen(camera_network(0), cohort, rest, remain_labels=labels)
    assert found.depth != "head"
    assert found.images == 2 * (len(cohort) + 60 + 2)
    gone = chosen(camera_network(0), cohort, others, remain_labels=[item["label"] for item in others])
    assert (gone.depth, gone.why) == ("head", depth_choice._WHY["head"])


def test_a_sample_has_some_of_every_class_and_is_otherwise_by_chance(monkeypatch):
    labels = [0] * 5000 + [1] * 30 + [2] * 3
    context = context_of(camera_network(0), [], remain=range(len(labels)), remain_labels=labels)
    rows = depth_choice._rows_of_every_class(context)
    assert (len(rows), len(set(rows))) == (1000, 1000)
    assert [sum(labels[row] == name for row in rows) >= least for name, least in ((1, 20), (2, 3))] == [True, True]
    assert rows == depth_choice._rows_of_every_class(context)
    unknown = context_of(camera_network(0), [], remain=range(len(labels)))
    assert len(set(rows) & set(depth_choice._rows_of_every_class(unknown))) > 950


def test_the_cohort_is_judged_on_never_trained_images_where_there_are_some():
    cohort, network = camera_images(120, inverted=True), camera_network(1)
    held = {"forget": camera_images(60, inverted=True, seed=7), "remain": camera_images(90, seed=8)}
    found = chosen(network, cohort, validation=held)
    assert (found.judged_on, found.depth) == ("validation", 2)
    assert found.images == 2 * (120 + 240 + 2) + 60 + 90 + 2
    few = {**held, "forget": held["forget"][:20]}
    assert chosen(network, cohort, validation=few).judged_on == "training"
    assert chosen(network, cohort, validation={"remain": REST}).judged_on == "training"


def test_it_depends_on_the_seed_alone_and_can_be_written_down():
    network, cohort = camera_network(1), camera_images(120, inverted=True)
    found = chosen(network, cohort, seed=3)
    torch.manual_seed(99)
    state = torch.random.get_rng_state()
    assert chosen(network, cohort, seed=3) == found
    assert torch.equal(torch.random.get_rng_state(), state)
    plain = json.loads(json.dumps(found.to_dict()))
    assert DepthChoice.from_dict(plain) == found
    assert (plain["depth"], plain["judged_on"], len(plain["blocks"])) == (2, "training", 3)


def test_every_process_takes_the_choice_of_the_first():
    def sum_with_first(tensor):
        assert int(tensor) == 0
        return tensor + 3

    found = chosen(
        camera_network(1), camera_images(120, inverted=True), rank=1, world_size=2, all_reduce_sum=sum_with_first
    )
    assert found.depth == "all"


def test_its_cost_is_bounded():
    assert most_images(forget=120, remain=240) == 2 * (120 + 240 + 200) + 6
    assert most_images(forget=10**6, remain=10**6) == 2 * (500 + 1000 + 200) + 6
    found = chosen(camera_network(1), camera_images(600, inverted=True), camera_images(1200, seed=1))
    assert found.images == 2 * (500 + 1000 + 2)


def test_a_network_of_one_layer_has_but_its_head():
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 3))
    found = chosen(network, camera_images(120, inverted=True))
    assert (found.depth, found.blocks) == ("head", ())


def test_its_page_has_its_numbers():
    page = " ".join((Path(__file__).parents[2] / "docs" / "methods" / "reset.md").read_text(encoding="utf-8").split())
    assert f"at least {GAIN}, and significantly above 0 ({100 * ERROR:.0f} %," in page
    assert (
        f"{MOST['forget']} forget and {MOST['remain']:,} remain images and one of at most {MOST['validation']} " in page
    )
