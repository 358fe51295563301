from __future__ import annotations

import json

import pytest
from bundle_run import BUNDLE

from monai_unlearn.engine import class_names_of, finish_predictions

CHANNELS = {"0": "normal", "1": "glaucoma"}


def test_the_classes_are_those_that_the_weights_were_trained_with(tmp_path):
    assert class_names_of(tmp_path / "model.pt", CHANNELS) == ["normal", "glaucoma"]
    (tmp_path / "training.json").write_text(json.dumps({"class_names": ["up", "down"]}), encoding="utf-8")
    assert class_names_of(tmp_path / "model.pt", CHANNELS) == ["up", "down"]


@pytest.mark.parametrize(
    ("rows", "table"),
    [
        ('a.png,0.25,0.75\n"b, c.png",1.0,0.0\n', 'file,up,down\na.png,0.25,0.75\n"b, c.png",1.0,0.0\n'),
        ("a.png,0.25\n", "file,down\na.png,0.25\n"),
        ("", "file,up,down\n"),
    ],
)
def test_the_table_says_what_it_holds_and_where_it_is(tmp_path, capsys, rows, table):
    path = tmp_path / "predictions.csv"
    path.write_text(rows, encoding="utf-8")
    finish_predictions(tmp_path, ["up", "down"])
    assert path.read_text(encoding="utf-8") == table
    assert capsys.readouterr().out == f"Predictions of {len(rows.splitlines())} images: {path}\n"


@pytest.mark.parametrize("config", ["inference.yaml", "evaluate.yaml"])
def test_every_bundle_takes_the_classes_of_its_weights(config):
    for bundle in BUNDLE.parent.glob("*/configs"):
        assert "class_names: $engine.class_names_of(@checkpoint, " in (bundle / config).read_text(encoding="utf-8")
