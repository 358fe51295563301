from __future__ import annotations

import pytest
import torch
from method_bench import context_of, small_items, small_network

from monai_unlearn.methods import BoundarySearch, chunk_search, label_search
from monai_unlearn.methods.label_search import LabelSearch


@pytest.fixture(autouse=True)
def chunks_of_four_on_a_machine_with_bfloat16(monkeypatch):
    monkeypatch.setattr(label_search, "CHUNK_SIZE", 4)
    monkeypatch.setattr(label_search, "has_bfloat16", lambda _: True)


def searched(network, items, **options) -> LabelSearch:
    search = BoundarySearch(**{name: options.pop(name) for name in ("epsilon", "bisection_steps") if name in options})
    finder = LabelSearch(search, **options)
    finder.run(context_of(network, items))
    return finder


def test_bfloat16_continues_if_the_labels_of_the_first_chunk_agree():
    items, network = small_items(), small_network()
    plain = searched(network, items, epsilon=0.3, float32=True)
    quick = searched(network, items, epsilon=0.3)
    assert (plain.precision, quick.precision) == ("float32", "bfloat16, channels last")
    assert quick.predictions_agree
    assert not plain.predictions_agree
    assert quick.gradients == 20 + 4
    assert torch.equal(quick.logits.argmax(1), plain.logits.argmax(1))
    assert torch.equal(quick.logits[:4], plain.logits[:4])


def test_bfloat16_is_refused_if_a_label_of_the_first_chunk_differs(monkeypatch):
    honest = chunk_search.in_bfloat16
    monkeypatch.setattr(chunk_search, "in_bfloat16", lambda frozen: lambda images: -1.0 * honest(frozen)(images))
    items, network = small_items(), small_network()
    refused = searched(network, items, epsilon=0.9)
    assert refused.precision == "float32"
    assert not refused.predictions_agree
    assert refused.gradients == 20 + 4
    assert torch.equal(refused.logits, searched(network, items, epsilon=0.9, float32=True).logits)


@pytest.mark.parametrize("bisection_steps", [0, 6])
def test_bisection_and_labels_take_the_float32_network(bisection_steps, monkeypatch):
    """A low-precision network with the right gradients and wrong predictions gives the points and labels of float32."""

    def right_gradients_wrong_predictions(frozen):
        return lambda images: frozen(images) if torch.is_grad_enabled() else frozen(images).roll(1, dims=1)

    monkeypatch.setattr(chunk_search, "in_bfloat16", right_gradients_wrong_predictions)
    items, network = small_items(), small_network()
    settings = {"epsilon": 0.9, "bisection_steps": bisection_steps}
    found = searched(network, items, **settings)
    plain = searched(network, items, **settings, float32=True)
    assert (plain.logits.argmax(1) != plain.classes).any()
    assert found.precision == "bfloat16, channels last"
    assert not found.predictions_agree
    assert torch.equal(found.logits, plain.logits)
