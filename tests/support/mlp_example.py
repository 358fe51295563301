"""Small networks trained for real: on noisy labels they memorise, and a retrained one never saw what was forgotten."""

from __future__ import annotations

import numpy as np
import torch
from decision_example import CLASSES, frame
from torch import nn

from monai_unlearn.evaluation.prediction_table import Network, PredictionTable

PATIENTS = {
    "forget_train": dict.fromkeys(CLASSES, 120),
    "forget_test": dict.fromkeys(CLASSES, 120),
    "remain_train": dict.fromkeys(CLASSES, 300),
    "remain_test": dict.fromkeys(CLASSES, 1500),
}
FEATURES = 30


def trained(inputs: torch.Tensor, labels: torch.Tensor, *, seed: int, steps: int = 120) -> nn.Module:
    """Train until the images are known by heart."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(FEATURES, 64), nn.ReLU(), nn.Linear(64, 2))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(inputs), labels).backward()
        optimizer.step()
    return network


def networks(*, noise: float = 2.0, seed: int = 0) -> PredictionTable:
    """The original, and as the revised one a network retrained without the forget part, under another seed."""
    images = frame(PATIENTS)
    rng = np.random.default_rng(seed)
    numbers = images["label"].map({name: i for i, name in enumerate(CLASSES)}).to_numpy()
    values = rng.normal(size=(len(images), FEATURES))
    values[:, 0] += (2 * numbers - 1) / noise
    inputs, labels = torch.tensor(values, dtype=torch.float32), torch.tensor(numbers)
    train = torch.tensor((images["split"] == "train").to_numpy())
    remain = train & torch.tensor((images["part"] == "remain").to_numpy())
    found = {
        "original": trained(inputs[train], labels[train], seed=seed),
        "revised": trained(inputs[remain], labels[remain], seed=seed + 100),
    }
    with torch.no_grad():
        logits = {name: network(inputs).numpy() for name, network in found.items()}
    listed = tuple(Network(name=name, role=name, seed=i) for i, name in enumerate(found))
    return PredictionTable(frame=images, class_names=CLASSES, networks=listed, logits=logits)
