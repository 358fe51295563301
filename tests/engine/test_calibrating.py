from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from monai_unlearn.engine import calibrating
from monai_unlearn.engine.calibrating import calibrate
from monai_unlearn.errors import ConfigError

CPU = torch.device("cpu")
GENERATOR = torch.Generator().manual_seed(0)
IMAGES = [{"image": torch.randn(1, 2, 2, generator=GENERATOR), "label": row % 2, "row": row} for row in range(200)]
# Training saw both classes equally often; of what remains, a quarter is of the second.
COUNTS = {"forget": [0, 100], "remain": [150, 50]}


def network(scale):
    torch.manual_seed(1)
    made = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    made[1].weight.data.mul_(scale)
    return made.eval()


def items(parts, split="train"):
    if split == "validation":
        return [{"image_id": f"v{row}", "label": one["label"]} for row, one in enumerate(IMAGES)]
    counts = [sum(COUNTS[part][label] for part in parts) for label in (0, 1)]
    return [{"image_id": f"t{label}{row}", "label": label} for label in (0, 1) for row in range(counts[label])]


DATA = SimpleNamespace(class_names=("up", "down"), items=items)


def calibrated(monkeypatch, *, seen=frozenset(), images=IMAGES):
    monkeypatch.setattr(calibrating, "trained_on", lambda *_: seen)
    revised, original = network(4.0), network(1.0)
    found = calibrate(revised, original, data=DATA, images=images, checkpoint=Path("model.pt"), record={}, device=CPU)
    return revised, original, found


def test_the_revised_network_is_as_sure_as_the_original_and_knows_the_new_frequencies(monkeypatch):
    revised, original, found = calibrated(monkeypatch)
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
        calibrated(monkeypatch, seen={"v7"})


@pytest.mark.parametrize("lacks", [{"seen": None}, {"images": None}])
def test_without_images_or_a_record_of_those_trained_on_it_is_refused(monkeypatch, lacks):
    with pytest.raises(ConfigError, match="calibrate: expected validation images of the remain part, and beside"):
        calibrated(monkeypatch, **lacks)
