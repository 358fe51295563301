from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from monai_unlearn.engine import calibrating
from monai_unlearn.engine.calibrating import Calibrating
from monai_unlearn.errors import ConfigError

CPU = torch.device("cpu")
GENERATOR = torch.Generator().manual_seed(0)
IMAGES = [{"image": torch.randn(1, 2, 2, generator=GENERATOR), "label": row % 2, "row": row} for row in range(200)]
# Training saw both classes equally often; of what remains, a quarter is of the second.
COUNTS = {"forget": [0, 100], "remain": [150, 50]}


def network(scale, *, bias=True):
    torch.manual_seed(1)
    made = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=bias))
    made[1].weight.data.mul_(scale)
    return made.eval()


def items(parts, split="train"):
    if split == "validation":
        return [{"image_id": f"v{row}", "label": one["label"]} for row, one in enumerate(IMAGES)]
    counts = [sum(COUNTS[part][label] for part in parts) for label in (0, 1)]
    return [{"image_id": f"t{label}{row}", "label": label} for label in (0, 1) for row in range(counts[label])]


DATA = SimpleNamespace(class_names=("up", "down"), items=items)


def prepared(monkeypatch, original, *, seen=frozenset(), images=IMAGES, data=DATA):
    monkeypatch.setattr(calibrating, "trained_on", lambda *_: seen)
    checkpoint = Path("model.pt")
    return Calibrating.of_run(original, data=data, images=images, checkpoint=checkpoint, record={}, device=CPU)


def test_the_revised_network_is_as_sure_as_the_original_and_knows_the_new_frequencies(monkeypatch):
    revised, original = network(4.0), network(1.0)
    before = original[1].weight.clone()
    prepared_for = prepared(monkeypatch, original)
    assert torch.equal(original[1].weight, before)
    assert prepared_for.forward_passes == 400
    found = prepared_for.calibrate(revised, original)
    inputs = torch.stack([one["image"] for one in IMAGES])
    with torch.no_grad():
        old, new = torch.tensor([0.5, 0.5]), torch.tensor([0.75, 0.25])
        expected = (original(inputs) + (new / old).log()).softmax(1)
        p = revised(inputs).softmax(1)
    torch.testing.assert_close(p.mean(0), expected.mean(0), rtol=1e-3, atol=1e-3)
    entropies = [-(one * one.log()).sum(1).mean() for one in (p, expected)]
    torch.testing.assert_close(*entropies, rtol=1e-3, atol=1e-3)
    assert found.temperature > 1


def test_images_that_were_trained_on_are_refused(monkeypatch):
    with pytest.raises(ConfigError, match="calibrate: 1 of 200 validation images were trained on"):
        prepared(monkeypatch, network(1.0), seen={"v7"})


@pytest.mark.parametrize("lacks", [{"seen": None}, {"images": None}])
def test_without_images_or_a_record_of_those_trained_on_it_is_refused(monkeypatch, lacks):
    with pytest.raises(ConfigError, match="calibrate: expected validation images of the remain part, and beside"):
        prepared(monkeypatch, network(1.0), **lacks)


def test_what_can_be_known_before_the_first_step_is_refused_before_it(monkeypatch):
    with pytest.raises(ConfigError, match="expected a linear last layer with a bias"):
        prepared(monkeypatch, network(1.0, bias=False))
    with pytest.raises(ConfigError, match="the logits are not the output of the last layer"):
        prepared(monkeypatch, nn.Sequential(*network(1.0), nn.Softmax(1)))
    few = SimpleNamespace(class_names=DATA.class_names, items=lambda *of: items(*of)[:20])
    with pytest.raises(ConfigError, match="expected at least 30 validation images, got 20"):
        prepared(monkeypatch, network(1.0), data=few)
    third = SimpleNamespace(class_names=("up", "down", "never"), items=items)
    with pytest.raises(ConfigError, match="expected a frequency above 0 of each class before"):
        prepared(monkeypatch, network(1.0), data=third)
