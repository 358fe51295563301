from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from tiny import tiny_index, tiny_spec, write_images

from monai_unlearn.data import open_data
from monai_unlearn.engine.predicted import prediction_table
from monai_unlearn.evaluation import Network, Predictions, PredictionTable

NETWORKS = (
    Network(name="original", role="original", seed=0),
    Network(name="revised", role="revised", seed=4),
    Network(name="reference", role="reference", seed=1, recorded=False),
)


@pytest.fixture
def data(tmp_path):
    frame = write_images(tmp_path / "images")
    frame.loc[0, "patient"] = None
    tiny_index(tmp_path, frame=frame)
    return open_data(index_dir=tmp_path / "index", cohort_spec=tiny_spec(tmp_path), class_names=("up", "down"))


def predicted(data, seed):
    """Predictions of every subset, in the order of its items; each logit is a number of its own."""
    found, generator = {}, torch.Generator().manual_seed(seed)
    for part in ("forget", "remain"):
        for split in ("train", "validation", "test"):
            items = data.items([part], split)
            logits = torch.randn(len(items), 2, generator=generator) if items else torch.zeros(0, 0)
            labels = torch.tensor([item["label"] for item in items], dtype=torch.long)
            found[part, split] = Predictions(logits=logits, labels=labels)
    return found


def made(data):
    models = {one.name: predicted(data, number) for number, one in enumerate(NETWORKS)}
    return models, prediction_table(data, models, NETWORKS)


def test_one_row_an_image_with_the_logits_of_each_network(data, tmp_path):
    models, table = made(data)
    assert table.networks == NETWORKS
    assert len(table.frame) == 48
    for (part, split), found in models["revised"].items():
        chosen = ((table.frame["part"] == part) & (table.frame["split"] == split)).to_numpy()
        assert chosen.sum() == len(found)
        if len(found):
            assert np.array_equal(table.logits["revised"][chosen], found.logits.numpy())
            labels = [("up", "down")[number] for number in found.labels]
            assert table.frame.loc[chosen, "label"].tolist() == labels
    table.write(tmp_path / "predictions.parquet")
    assert PredictionTable.read(tmp_path / "predictions.parquet").networks == NETWORKS


def test_patients_and_slices_are_those_of_the_index(data):
    _, table = made(data)
    rows = table.frame.set_index("image_id")
    assert rows.loc["image-003R", "patient"] == "patient-003"
    assert pd.isna(rows.loc["image-000L", "patient"])
    assert table.slices == ("device",)
    assert rows.loc[["image-000L", "image-003R"], "slice:device"].tolist() == ["Old", "New"]
