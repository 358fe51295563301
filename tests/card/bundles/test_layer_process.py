from __future__ import annotations

import json

import pytest
import torch
from two_bundles import weights

from monai_unlearn.card.bundles.layer_process import layer_changes, main


def test_norms_are_those_of_the_change():
    found = layer_changes(weights(), {**weights(0.5), "third": torch.zeros(1)})
    assert found["layers"] == [
        {"name": "first.weight", "norm": 2.0, "change": 0.0, "relative": 0.0},
        {"name": "second.weight", "norm": 4.0, "change": 1.0, "relative": 0.25},
    ]
    assert (found["added"], found["removed"]) == (["third"], [])


def test_another_shape_and_a_zero_norm_have_no_share():
    old = {"a": torch.zeros(2), "b": torch.ones(2), "gone": torch.ones(1)}
    found = layer_changes(old, {"a": torch.ones(2), "b": torch.ones(3)})
    assert found["layers"][0]["relative"] is None
    assert found["layers"][1] == {"name": "b", "norm": None, "change": None, "relative": None}
    assert found["removed"] == ["gone"]


def test_files_are_compared_and_printed(tmp_path, capsys):
    for name, shift in (("a.pt", 0.0), ("b.pt", 0.5)):
        torch.save(weights(shift), tmp_path / name)
    main(str(tmp_path / "a.pt"), str(tmp_path / "b.pt"))
    assert json.loads(capsys.readouterr().out)["layers"][1]["change"] == 1.0


@pytest.mark.parametrize(
    ("content", "why"), [([1], "not a dictionary of tensors"), (None, "not a file of tensors alone")]
)
def test_other_files_are_not_compared(tmp_path, capsys, content, why):
    path = tmp_path / "a.pt"
    path.write_text("no weights") if content is None else torch.save(content, path)
    main(str(path), str(path))
    assert json.loads(capsys.readouterr().out)["why"].startswith(why)
