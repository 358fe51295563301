from __future__ import annotations

import copy
import math
from typing import NamedTuple

import pytest
import torch
from method_bench import SPACE, batch_of, small_items
from one_logit_example import FourSets, TwoHeads, TwoLogits
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from monai_unlearn.engine import as_classifier
from monai_unlearn.engine.head import (
    Head,
    check_head,
    check_method,
    head_of,
    loss_of_classes,
    output_names,
    outputs_in_words,
    with_head_of,
)
from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import MethodContext, registered

ITEMS = [{**item, "label": item["row"] % 2} for item in small_items()]
IMAGES = torch.stack([item["image"] for item in ITEMS])


def chain(kind=nn.Sequential, *, outputs=1):
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1)]
    network = kind(*layers, nn.Flatten(), nn.Linear(4, outputs))
    network[1].running_mean.uniform_(-0.2, 0.2)
    return network


def test_one_logit_is_a_softmax_over_zero_and_it():
    plain, presented = chain().eval(), as_classifier(chain(), head="sigmoid").eval()
    z, logits = plain(IMAGES), presented(IMAGES)
    assert torch.equal(logits, torch.cat([torch.zeros_like(z), z], dim=1))
    torch.testing.assert_close(logits.softmax(1)[:, 1], z[:, 0].sigmoid())
    labels = torch.tensor([item["label"] for item in ITEMS])
    expected = binary_cross_entropy_with_logits(z[:, 0], labels.float())
    torch.testing.assert_close(cross_entropy(logits, labels), expected)


def test_two_trained_logits_agree_with_the_one_that_is_their_difference():
    torch.manual_seed(0)
    two, one = nn.Linear(5, 2), nn.Linear(5, 1)
    one.load_state_dict({name: values[1:] - values[:1] for name, values in two.state_dict().items()})
    images = torch.randn(50, 5)
    torch.testing.assert_close(as_classifier(one, head="sigmoid")(images).softmax(1), two(images).softmax(1))


def test_modules_and_weights_stay_as_they_are():
    network, like = as_classifier(chain(), head="sigmoid"), chain()
    assert [name for name, _ in network.named_modules()] == [name for name, _ in like.named_modules()]
    like.load_state_dict(network.state_dict())


def test_a_copy_is_presented_too_and_another_head_replaces_the_first():
    network = as_classifier(as_classifier(chain(), head="softmax"), head="sigmoid")
    again = as_classifier(network, head="sigmoid")
    assert again is network
    assert copy.deepcopy(network)(IMAGES).shape == (20, 2)
    assert with_head_of(chain(), network)(IMAGES).shape == (20, 2)
    assert as_classifier(network)(IMAGES).shape == (20, 2)
    assert as_classifier(network, head="softmax")(IMAGES).shape == (20, 1)
    assert head_of(chain()) == Head()


def test_one_number_an_image_is_one_logit():
    assert as_classifier(nn.Sequential(nn.Linear(2, 1), nn.Flatten(0)), head="sigmoid")(torch.zeros(3, 2)).shape == (
        3,
        2,
    )


class Pair(NamedTuple):
    """What torchvision's Inception returns in training mode."""

    logits: torch.Tensor
    aux_logits: torch.Tensor


@pytest.mark.parametrize("kind", [tuple, list, dict, lambda both: Pair(*both)])
def test_the_main_one_of_several_outputs_is_taken(kind):
    network = as_classifier(TwoHeads(kind=kind))
    images = torch.randn(3, 1, 4)
    assert torch.equal(network.train()(images), network.main(images.flatten(1)))
    assert torch.equal(network.eval()(images), network.main(images.flatten(1)))


def test_another_output_is_taken_by_position_or_name():
    images = torch.randn(3, 1, 4)
    by_place = as_classifier(TwoHeads(), network_output=1)
    assert torch.equal(by_place(images), by_place.aux(images.flatten(1)))
    by_name = as_classifier(TwoHeads(kind=dict), network_output="aux")
    assert torch.equal(by_name(images), by_name.aux(images.flatten(1)))


@pytest.mark.parametrize(
    ("kind", "output", "there"), [(tuple, 2, "2 outputs"), (dict, "main", "aux, out"), (dict, 0, "aux, out")]
)
def test_an_output_that_is_not_there_is_refused(kind, output, there):
    with pytest.raises(ConfigError, match=f"network_output: expected a tensor as output .* are: {there}"):
        as_classifier(TwoHeads(kind=kind), network_output=output)(torch.zeros(3, 4))


def test_auxiliary_outputs_are_noted():
    network = as_classifier(TwoHeads())
    network.eval()(torch.zeros(3, 4))
    assert head_of(network).notes() == []
    network.train()(torch.zeros(3, 4))
    (note,) = head_of(network).notes()
    assert "may hold what they learnt from the forget part" in note


def test_an_unknown_head_and_classes_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match="head: expected one of softmax, sigmoid, multilabel.*Did you mean 'sigmoid'"):
        as_classifier(chain(), head="sigmoidal")
    check_head(as_classifier(chain(), head="sigmoid"), ["normal", "tumor"])
    check_head(chain(), ["a", "b", "c"])
    with pytest.raises(ConfigError, match=r"expected two class_names, .* got tumor\. Set class_names"):
        check_head(as_classifier(chain(), head="sigmoid"), ["tumor"])


@pytest.mark.parametrize("own", [nn.BCEWithLogitsLoss(), nn.CrossEntropyLoss()])
def test_the_loss_of_training_takes_the_logits_of_classes(own):
    logits, labels = torch.tensor([[0.0, 1.5], [0.5, -1.0]]), torch.tensor([1, 0])
    found = loss_of_classes(own, "sigmoid")(logits, labels)
    assert float(found) == pytest.approx((math.log1p(math.exp(-1.5)) + math.log1p(math.exp(-1.5))) / 2)
    assert loss_of_classes(own, "softmax") is own


def test_shapes_are_said_as_the_network_gives_them():
    assert outputs_in_words((1, 2), "sigmoid") == "(1, 1)"
    assert outputs_in_words((1, 2), "softmax") == "(1, 2)"


SETTINGS = {"psg_published": {"proximity_weight": 0.1}, "ssd": {"alpha": 1.0}}


def moved(network, by):
    """The weights of a network, each moved by as much."""
    return {name: value + by if value.is_floating_point() else value for name, value in network.state_dict().items()}


def revised(name, network, folder, items=ITEMS):
    """The weights after a method prepared, took four steps and finished."""
    torch.manual_seed(0)
    torch.save(network.state_dict(), folder / "epoch-1.pt")
    method = registered()[name][1](**SETTINGS.get(name, {}))
    method.prepare(
        MethodContext(
            network=network,
            forget=items[:8],
            remain=items[8:],
            validation={"forget": items[:4], "remain": items[8:12]},
            snapshots=[folder / "epoch-1.pt"],
            parents=[moved(network, by) for by in (0.1, 0.2)],
            pixel_space=SPACE,
            device=torch.device("cpu"),
            seed=0,
        )
    )
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for step in range(0 if method.one_shot else 4):
        method.phase, method.done = "forget", step / 4
        method.set_mode()
        optimizer.zero_grad(set_to_none=True)
        batch = batch_of(items, [2 * step, 2 * step + 1], [8 + step, 9 + step, 10 + step])
        method.loss(batch).backward()
        method.adjust_gradients()
        optimizer.step()
        method.after_step()
    method.finish()
    return network.state_dict()


@pytest.mark.parametrize("name", sorted(registered()))
def test_every_method_revises_one_logit_as_it_revises_two(name, tmp_path):
    before = chain().state_dict()
    one = revised(name, as_classifier(chain(), head="sigmoid"), tmp_path)
    two = revised(name, chain(TwoLogits), tmp_path)
    assert one.keys() == before.keys()
    assert all(torch.equal(values, two[key]) for key, values in one.items())
    assert any(not torch.equal(values, before[key]) for key, values in one.items())


SETS = [{**item, "label": item["row"] % 4} for item in ITEMS]
ABLE = sorted(name for name, (info, _) in registered().items() if info.multilabel)


def test_several_labels_are_a_softmax_over_their_sets():
    """Its probabilities are products of sigmoids, its cross entropy is the sum of the binary ones."""
    plain, presented = chain(outputs=3).eval(), as_classifier(chain(outputs=3), head="multilabel").eval()
    z, logits = plain(IMAGES).double(), presented(IMAGES).double()
    assert logits.shape == (20, 8)
    p = z.sigmoid()
    of_first_and_third = p[:, 0] * (1 - p[:, 1]) * p[:, 2]
    torch.testing.assert_close(logits.softmax(1)[:, 0b101], of_first_and_third)
    numbers = torch.arange(20) % 8
    labels = torch.stack([numbers % 2, numbers // 2 % 2, numbers // 4], dim=1).double()
    expected = binary_cross_entropy_with_logits(z, labels, reduction="none").sum(1).mean()
    torch.testing.assert_close(cross_entropy(logits, numbers), expected)
    found = loss_of_classes(nn.BCEWithLogitsLoss(), "multilabel")(logits, numbers)
    torch.testing.assert_close(found, expected / 3)
    assert outputs_in_words((1, 8), "multilabel") == "(1, 3)"


@pytest.mark.parametrize("name", ABLE)
def test_methods_revise_several_labels_as_they_revise_their_sets(name, tmp_path):
    two = revised(name, as_classifier(chain(outputs=2), head="multilabel"), tmp_path, SETS)
    four = revised(name, chain(FourSets, outputs=2), tmp_path, SETS)
    assert all(torch.equal(values, four[key]) for key, values in two.items())


def test_a_method_that_adds_a_class_is_refused_with_those_that_do_not():
    info = registered()["boundary_expand"][0]
    check_method(info, "sigmoid")
    with pytest.raises(ConfigError, match="Methods for several labels are .*finetune, .*msg, .*ssd"):
        check_method(info, "multilabel")
    needed = {
        "retrain",
        "finetune",
        "reset",
        "scratch",
        "shrink_perturb",
        "msg",
        "neggrad_plus",
        "batch_norm_only",
        "ssd",
    }
    assert needed <= set(ABLE)


def test_a_head_of_several_labels_and_their_columns_belong_together():
    network = as_classifier(chain(outputs=2), head="multilabel")
    check_head(network, ["none", "a", "b", "a + b"], ["a", "b"])
    with pytest.raises(ConfigError, match="belong together"):
        check_head(network, ["a", "b"])
    with pytest.raises(ConfigError, match="belong together"):
        check_head(chain(), ["none", "a"], ["a"])
    with pytest.raises(ConfigError, match="at most 14 labels, got 15 outputs"):
        as_classifier(nn.Linear(2, 15), head="multilabel")(torch.zeros(1, 2))


def test_a_head_that_is_a_convolution_gives_logits():
    network = as_classifier(nn.Conv2d(3, 2, 8))
    assert network(IMAGES).shape == (20, 2)
    assert as_classifier(nn.Conv2d(3, 2, 7))(IMAGES).shape == (20, 2, 2, 2)


@pytest.mark.parametrize(("head", "names"), [("softmax", ["a", "b"]), ("sigmoid", ["b"]), ("multilabel", ["a", "b"])])
def test_outputs_have_names(head, names):
    assert output_names(["a", "b"], as_classifier(chain(), head=head)) == names
