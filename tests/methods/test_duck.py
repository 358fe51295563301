from __future__ import annotations

import pytest
import torch
from method_bench import batch_of, context_of, small_items, small_network
from torch.nn.functional import cross_entropy

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import DUCK

ITEMS = small_items()


def prepared(network, items=ITEMS, **settings):
    method = DUCK(**settings)
    method.prepare(context_of(network, items, remain=items[6:]))
    method.set_mode()
    return method


def test_forget_embeddings_go_to_the_nearest_centroid_of_another_class():
    network = small_network()
    body = network[:5].eval()
    remain = torch.stack([item["image"] for item in ITEMS[6:]])
    labels = torch.tensor([item["label"] for item in ITEMS[6:]])
    centroids = [body(remain[labels == label]).mean(0).detach() for label in range(3)]
    method = prepared(network, forget_weight=0.7, remain_weight=0.0)
    batch = batch_of(ITEMS, [0, 1, 5], [8, 9])
    loss = method.loss(batch)
    network.eval()  # with the statistics that the remain images left
    expected = 0.0
    for row in (0, 1, 5):
        e = body(ITEMS[row]["image"][None])[0].detach()
        cosines = [
            float(e @ c / (e.norm() * c.norm())) for label, c in enumerate(centroids) if label != ITEMS[row]["label"]
        ]
        expected += 0.7 * (1 - max(cosines)) / 3
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-3)


def test_remain_images_are_learnt_at_a_temperature():
    network = small_network()
    method = prepared(network, forget_weight=0.0, remain_weight=2.0, temperature=4.0)
    batch = batch_of(ITEMS, [0], [8, 9, 10])
    logits = network.train()(batch["remain"]["image"])
    method.set_mode()
    expected = 2 * cross_entropy(logits / 4, batch["remain"]["label"])
    torch.testing.assert_close(method.loss(batch), expected)
    assert method.parts == ("forget", "remain")
    assert method.forward_passes == 15
    assert method.gradients_to_prepare(forget=6, remain=14) == pytest.approx(5)


def test_one_remain_class_leaves_nowhere_to_go():
    only = [item for item in ITEMS if item["label"] == 1]
    with pytest.raises(ConfigError, match="duck: expected remain images of two classes at least"):
        DUCK().prepare(context_of(small_network(), ITEMS, remain=only))
    with pytest.raises(ConfigError, match="duck: expected remain images, got none"):
        DUCK().prepare(context_of(small_network(), ITEMS, remain=None))
    with pytest.raises(ConfigError, match="duck: expected forget_weight"):
        DUCK(temperature=0)
