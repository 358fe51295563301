from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.release import torchscript
from monai_unlearn.release.torchscript import export_torchscript, probe_inputs, read_export

BUNDLE = Path(__file__).resolve().parents[2] / "bundles" / "fundus_classifier"


@pytest.fixture
def bundle(tmp_path):
    return shutil.copytree(BUNDLE, tmp_path / "bundle")


def test_the_export_lies_with_the_weights_and_nothing_else_is_left(bundle):
    before = {path.name for path in (bundle / "models").iterdir()}
    path = export_torchscript(bundle)
    assert path == bundle / "models" / "model.ts"
    assert {path.name for path in (bundle / "models").iterdir()} == before | {"model.ts"}
    assert read_export(path).metadata == json.loads((bundle / "configs" / "metadata.json").read_text())


def test_an_export_that_computes_something_else_is_not_written(bundle, monkeypatch):
    monkeypatch.setattr(torchscript, "largest_difference", lambda *_: float("nan"))
    with pytest.raises(ConfigError, match=r"differs from the bundle's by nan, more than 1e-05.*nothing was written"):
        export_torchscript(bundle)
    assert not (bundle / "models" / "model.ts").exists()


def test_a_bundle_without_inference_is_refused(bundle):
    (bundle / "configs" / "inference.yaml").unlink()
    with pytest.raises(ConfigError, match=r"inference\.yaml is missing"):
        export_torchscript(bundle)


def test_probes_are_seeded_and_have_the_shape_of_the_metadata():
    metadata = {"network_data_format": {"inputs": {"image": {"num_channels": 1, "spatial_shape": [4, 5, 6]}}}}
    assert probe_inputs(metadata).shape == (4, 1, 4, 5, 6)
    assert torch.equal(probe_inputs(metadata), probe_inputs(metadata))


def test_a_shape_of_letters_is_refused():
    metadata = {"network_data_format": {"inputs": {"image": {"num_channels": 1, "spatial_shape": ["16*n", 8]}}}}
    with pytest.raises(ConfigError, match="channels and spatial_shape of 'image' in numbers"):
        probe_inputs(metadata)


def test_what_is_no_export_is_refused(tmp_path):
    (tmp_path / "model.ts").write_bytes(b"nothing")
    with pytest.raises(ConfigError, match="expected a TorchScript file with the metadata of a bundle"):
        read_export(tmp_path / "model.ts")


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_a_network_without_metadata_is_refused(tmp_path):
    torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)).save(tmp_path / "model.ts")
    with pytest.raises(ConfigError, match="expected a TorchScript file with the metadata of a bundle"):
        read_export(tmp_path / "model.ts")
