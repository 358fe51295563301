from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from method_bench import context_of, same, small_items, small_network
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import Composition, info_of
from monai_unlearn.methods.composition import GRID

ITEMS = small_items()
STATISTICS = ("1.running_mean", "1.running_var")


class Wanted:
    """Likes a network the better, the nearer the sum of its weights is to one."""

    formula = "distance of the sum of weights"

    def __init__(self, total: float, *, images: int = 7) -> None:
        self.total, self.images_passed, self._images = total, 0, images

    def __call__(self, network: nn.Module) -> float:
        self.images_passed += self._images
        return abs(sum(float(weight.detach().sum()) for weight in network.parameters()) - self.total)


def networks():
    """The original, and two that were revised from it; the original has other weights than both."""
    original, a, b = (small_network(seed) for seed in range(3))
    a[1].num_batches_tracked.fill_(5)
    return original, a, b


def composed(judge=None, *, rank=0, add=lambda tensor: tensor, **settings):
    original, a, b = networks()
    method = Composition(**settings)
    context = context_of(original, ITEMS, parents=[a.state_dict(), b.state_dict()], judge=judge)
    method.prepare(replace(context, rank=rank, all_reduce_sum=add))
    return method, {name: value.numpy() for name, value in original.state_dict().items()}


def arrays():
    return [{name: value.double().numpy() for name, value in one.state_dict().items()} for one in networks()]


def test_a_splice_has_the_features_of_a_and_the_classifier_of_b():
    """The network runs: convolution, BatchNorm, …, linear."""
    _, a, b = arrays()
    method, found = composed(by="splice")
    for name, values in found.items():
        np.testing.assert_array_equal(values, (b if name.startswith("5.") else a)[name])
    assert method.record == {"by": "splice", "classifier": ["5"]}
    assert method.decided == "A composition of two networks, A and B: features of A, and of B the classifier (5)"


def test_a_deeper_cut_takes_whole_blocks_with_their_statistics():
    _, _, b = arrays()
    with pytest.raises(
        ConfigError, match=r"^classifier: the network has 1 blocks .* Give a smaller number or head or last_block\.$"
    ):
        composed(classifier=2)
    _, found = composed(classifier="last_block")
    assert all(np.array_equal(values, b[name]) for name, values in found.items())


def test_what_a_splice_gives_is_what_both_halves_give():
    original, a, b = networks()
    Composition().prepare(context_of(original, ITEMS, parents=[a.state_dict(), b.state_dict()]))
    images = torch.stack([item["image"] for item in ITEMS])
    a.eval(), b.eval(), original.eval()
    torch.testing.assert_close(original(images), b[5](a[:5](images)))


@pytest.mark.parametrize("weight", [0, 0.3, 1.0])
def test_linear_is_the_point_between_both(weight):
    _, a, b = arrays()
    method, found = composed(by="linear", weight=weight)
    for name, values in found.items():
        expected = a[name] if name == "1.num_batches_tracked" else a[name] + weight * (b[name] - a[name])
        np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6)
    assert method.record == {"by": "linear", "weight": weight}
    assert method.decided.endswith(f"the weights are (1 − w)·A + w·B, w = {weight:g}, given by the user")


@pytest.mark.parametrize("weight", [0, 0.4, 1.0])
def test_task_vectors_are_added_to_the_original(weight):
    original, a, b = arrays()
    _, found = composed(by="task_vectors", weight=weight)
    for name in set(found) - {*STATISTICS, "1.num_batches_tracked"}:
        expected = (1 - 2 * weight) * original[name] + weight * a[name] + weight * b[name]
        np.testing.assert_allclose(found[name], expected, rtol=1e-5, atol=1e-6)
    for name in STATISTICS:
        np.testing.assert_allclose(found[name], (a[name] + b[name]) / 2, rtol=1e-5, atol=1e-7)


def total(state):
    return sum(values.sum() for name, values in state.items() if name not in {*STATISTICS, "1.num_batches_tracked"})


@pytest.mark.parametrize("weight", [0, 0.3, 1.0])
def test_an_ensemble_averages_logits_and_leaves_the_network_alone(weight):
    original, a, b = networks()
    before = {name: value.clone() for name, value in original.state_dict().items()}
    method = Composition(by="ensemble", weight=weight)
    method.prepare(context_of(original, ITEMS, parents=[a.state_dict(), b.state_dict()]))
    images = torch.stack([item["image"] for item in ITEMS])
    expected = a.eval()(images) + weight * (b.eval()(images) - a.eval()(images))
    torch.testing.assert_close(method.replacement.eval()(images), expected)
    assert same(original.state_dict(), before)
    assert method.decided.endswith(
        f"both networks, whose logits are averaged to (1 − w)·A + w·B, w = {weight:g}, given by the user"
    )


def test_the_coefficient_of_an_ensemble_is_chosen_too():
    class Nearest:
        formula, images_passed = "distance of w from a quarter", 0

        def __call__(self, network):
            return abs(float(network.weight) - 0.26)

    original, a, b = networks()
    method = Composition(by="ensemble")
    method.prepare(context_of(original, ITEMS, parents=[a.state_dict(), b.state_dict()], judge=Nearest()))
    assert (method.record["weight"], float(method.replacement.weight)) == (0.3, pytest.approx(0.3))
    assert Composition(by="linear", weight=0.5).replacement is None


@pytest.mark.parametrize("best", [0.0, 0.7, 1.0])
def test_the_coefficient_is_the_best_of_tenths(best):
    _, a, b = arrays()
    judge = Wanted((1 - best) * total(a) + best * total(b))
    method, found = composed(judge, by="linear")
    assert method.record["weight"] == best
    assert [one["weight"] for one in method.record["tried"]] == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
    assert method.record["criterion"] == "distance of the sum of weights"
    assert method.forward_passes == 7 * len(GRID)
    expected = (1 - best) * a["0.weight"] + best * b["0.weight"]
    np.testing.assert_allclose(found["0.weight"], expected, rtol=1e-5, atol=1e-6)
    assert f"w = {best:g}, the best of 0, 0.1, …, 1 on validation images by distance of" in method.decided


def test_of_equals_the_smaller_coefficient_is_taken():
    assert composed(Wanted(math.inf), by="linear")[0].record["weight"] == 0


def test_another_process_takes_the_coefficient_of_the_main_one():
    """It adds zero; the sum is what the main process chose."""
    method, found = composed(None, rank=1, add=lambda tensor: tensor + 0.6, by="linear")
    _, a, b = arrays()
    assert method.record == {"by": "linear", "weight": 0.6}
    np.testing.assert_allclose(found["5.bias"], 0.4 * a["5.bias"] + 0.6 * b["5.bias"], rtol=1e-5)


def test_it_is_the_same_twice_and_takes_no_gradient():
    (first, one), (_, other) = (composed(by="task_vectors", weight=0.5) for _ in range(2))
    assert same(*({name: torch.as_tensor(values) for name, values in state.items()} for state in (one, other)))
    assert (first.gradient_evaluations, first.forward_passes, first.one_shot) == (0, 0, True)
    assert info_of(first).composes


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"by": "average"}, "by: expected one of splice, linear, task_vectors, ensemble, got 'average'"),
        ({"by": "linear", "weight": 1.5}, "weight: expected a coefficient in .0, 1., or auto, got 1.5"),
        ({"by": "linear", "weight": "half"}, "weight: expected a coefficient .* got half"),
        ({"weight": 0.5}, "weight: a splice has no coefficient"),
        ({"classifier": "all"}, "classifier: all is the whole network"),
        ({"classifier": "tail"}, "classifier: expected head, last_block or a number"),
        ({"by": "linear", "classifier": "last_block"}, "classifier: only a splice is cut"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, why):
    with pytest.raises(ConfigError, match=why):
        Composition(**settings)


def test_two_networks_are_needed():
    with pytest.raises(ConfigError, match="expected two revisions to compose, got 0. Use `monai-unlearn compose --a"):
        Composition().prepare(context_of(small_network(), ITEMS))


def test_without_a_judge_nothing_chooses():
    with pytest.raises(ConfigError, match="weight: no retrained network is there to choose the coefficient by"):
        composed(by="linear")
