from __future__ import annotations

import copy

import pytest
import torch
from method_bench import same, small_items, small_network
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.calibrate import Calibration, calibration, fold

COUNT, CLASSES = 400, 4


def logits(seed=0, *, scale=2.0, count=COUNT):
    return scale * torch.randn(count, CLASSES, generator=torch.Generator().manual_seed(seed))


def found(revised, original, *, old=(1,) * CLASSES, new=(1,) * CLASSES, **settings):
    names = [str(row) for row in range(len(revised))]
    return calibration(revised, original, old=old, new=new, **{"images": names, "trained_on": (), **settings})


def means(p):
    return p.mean(0), -(p * p.clamp_min(1e-300).log()).sum(1).mean()


def test_mean_softmax_and_entropy_are_those_of_the_original_with_its_odds_moved():
    """The odds of two classes change by new / old, in each image: Bayes' rule, written with probabilities."""
    revised, original = logits(1, scale=5.0), logits(2, scale=1.5)
    old, new = (100, 50, 30, 20), (100, 10, 30, 5)
    given = found(revised, original, old=old, new=new)
    moved = original.double().softmax(1) * torch.tensor(new) / torch.tensor(old)
    expected = means(moved / moved.sum(1, keepdim=True))
    result = means((revised.double() / given.temperature + torch.tensor(given.offsets).double()).softmax(1))
    torch.testing.assert_close(result[0], expected[0], rtol=0, atol=1e-6)
    torch.testing.assert_close(result[1], expected[1], rtol=0, atol=1e-6)
    assert sum(given.offsets) == pytest.approx(0, abs=1e-9)
    assert given.temperature > 1
    assert given.images == COUNT


def test_what_was_done_to_the_logits_is_undone():
    """The solution is known: the original's own logits, colder and with other offsets."""
    original, offsets = logits(3).double(), torch.tensor([1.0, -0.5, 0.0, -0.5]).double()
    given = found(original * 4 + offsets, original)
    assert given.temperature == pytest.approx(4, rel=1e-6)
    torch.testing.assert_close(torch.tensor(given.offsets).double(), -offsets / 4, rtol=0, atol=1e-6)
    torch.testing.assert_close(given(original * 4 + offsets), original, rtol=0, atol=1e-5)


def test_a_class_without_remain_images_stays_as_rare_as_it_is():
    revised, original = logits(4) - torch.tensor([0, 0, 0, 9.0]), logits(5)
    given = found(revised, original, new=(1, 1, 1, 0))
    share = given(revised.double()).softmax(1).mean(0)
    assert share[3] == pytest.approx(float(revised.double().softmax(1).mean(0)[3]), rel=1e-3)
    others = original[:, :3].double().softmax(1).mean(0)
    torch.testing.assert_close(share[:3] / share[:3].sum(), others, rtol=0, atol=1e-6)


def test_it_is_the_same_twice_and_plain_in_a_record():
    given = found(logits(1), logits(2))
    assert given == found(logits(1), logits(2))
    assert given.to_dict() == {
        "temperature": given.temperature,
        "offsets": list(given.offsets),
        "images": COUNT,
    }


def test_images_that_were_trained_on_are_refused():
    with pytest.raises(ConfigError, match="calibrate: 2 of 400 validation images were trained on"):
        found(logits(1), logits(2), trained_on={"3", "5", "elsewhere"})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"images": ["1"]}, "calibrate: expected at least 30 validation images, got 1"),
        ({"images": range(399)}, "calibrate: got 400 images and 399 identifiers"),
        ({"old": (1,) * 3, "new": (1,) * 3}, "calibrate: expected frequencies of 4 classes, got 3"),
        ({"old": (1, 1, 0, 1)}, "calibrate: expected a frequency above 0 of each class before"),
        ({"new": (1, 1, 1)}, "calibrate: expected a frequency above 0 of each class before"),
    ],
)
def test_other_faults_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        found(logits(1), logits(2), **settings)
    with pytest.raises(ConfigError, match="expected at least 30 validation images"):
        found(logits(1, count=29), logits(2, count=29))


def test_logits_that_cannot_be_made_sure_are_refused():
    with pytest.raises(ConfigError, match=r"calibrate: no temperature from 0\.01 to 100\.0 gives the expected entropy"):
        found(torch.zeros(COUNT, CLASSES), logits(2))


def test_it_folds_into_the_last_layer():
    network, images = small_network().eval(), torch.stack([item["image"] for item in small_items()])
    given = Calibration(temperature=2.5, offsets=(0.5, 0.25, -0.75), images=30)
    expected = network(images) / 2.5 + torch.tensor([0.5, 0.25, -0.75])
    fold(network, given, images[0])
    torch.testing.assert_close(network(images), expected)
    changed = {name for name, value in network.state_dict().items() if not same({"": value}, {"": small(name)})}
    assert changed == {"5.weight", "5.bias"}


def test_of_one_logit_less_than_there_are_classes_the_first_is_zero():
    """As `head: sigmoid` presents a network: (0, z)."""
    network, images = small_network().eval(), torch.stack([item["image"] for item in small_items()])
    network.register_forward_hook(lambda _module, _inputs, z: torch.cat([torch.zeros(len(z), 1), z], dim=1))
    given = Calibration(temperature=2.5, offsets=(1.0, 0.5, -0.5, -1.0), images=30)
    expected = given(network(images)).softmax(1)
    fold(network, given, images[0])
    torch.testing.assert_close(network(images).softmax(1), expected)


def small(name):
    return small_network().state_dict()[name]


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ([nn.Linear(4, 3, bias=False)], "calibrate: expected a linear last layer with a bias, got Linear '5'"),
        ([nn.Linear(4, 3), nn.Softmax(1)], "calibrate: the logits are not the output of the last layer, '5'"),
        (
            [nn.Linear(4, 6), nn.Unflatten(1, (3, 2)), nn.MaxPool1d(2), nn.Flatten(1)],
            "the logits are not the output of",
        ),
    ],
)
def test_a_network_that_cannot_take_it_is_refused_and_left(head, message):
    network = nn.Sequential(*list(small_network())[:5], *head)
    before = copy.deepcopy(network.state_dict())
    with pytest.raises(ConfigError, match=message):
        fold(network, Calibration(temperature=2.0, offsets=(1, 0, -1), images=30), small_items()[0]["image"])
    assert same(before, network.state_dict())
