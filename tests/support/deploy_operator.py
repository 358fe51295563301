"""Require of a bundle what MonaiBundleInferenceOperator of monai-deploy-app-sdk 4.0 requires, without Holoscan.

`tests/bundles/test_deploy_sdk.py` compares this stand-in with the operator itself, where that is installed. In order:

1. `--model` names a folder of folders, each with one TorchScript file, or the file. Of any other folder MONAI Deploy
   makes a model that has no network, and fails when it predicts.
2. Metadata and configs come from the archive of that file, below a folder with the file's name.
3. Loading and saving transforms are dropped by name, from the steps before and after the network.
4. An image without metadata is passed on as it is. It is a `MetaTensor`, and must be one after preprocessing: its
   metadata go to the output.
5. An output of the type `probabilities` is numbered by its values, not by the likeliest class: `result` says nothing.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import zipfile
from typing import TYPE_CHECKING, Any

import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor
from monai.inferers import SimpleInferer
from monai.transforms import Compose, MapTransform
from monai.utils import convert_to_dst_type, ensure_tuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np

DROPPED = ("LoadImage", "SaveImage")
SUFFIXES = (".json", ".yaml", ".yml")


class NoPredictorError(Exception):
    """MONAI Deploy found no network where `--model` points to."""


class Operator:
    """Loads a bundle from its TorchScript file alone.

    Args:
        models: What `--model` names.
        network: The network, if it is not the one in the file.

    Raises:
        NoPredictorError: There is no network, as the operator finds when it predicts.
    """

    def __init__(self, models: Path, *, network: torch.nn.Module | None = None) -> None:
        script = model_file(models)
        self.parser = archived_config(script)
        self.device = self.parser.get_parsed_content("device") if self.parser.get("device") is not None else "cpu"
        inferer = self.parser.get("inferer")
        self.inferer = SimpleInferer() if inferer is None else self.parser.get_parsed_content("inferer")
        self.inputs, self.outputs = (
            self.parser["_meta_"]["network_data_format"][name] for name in ("inputs", "outputs")
        )
        self.before, self.after = (self._compose(name) for name in ("preprocessing", "postprocessing"))
        self.network = torch.jit.load(script, map_location=self.device).eval() if network is None else network

    def _compose(self, name: str) -> Compose:
        if self.parser.get(name) is None:
            return Compose([])
        compose = self.parser.get_parsed_content(name)
        compose.transforms = tuple(
            step for step in compose.transforms if not any(word in type(step).__name__ for word in DROPPED)
        )
        return compose

    def __call__(self, image: np.ndarray) -> dict[str, Any]:
        """Return what the operator emits for an `Image` without metadata, by output."""
        with torch.no_grad():
            inputs = self._preprocess({name: _received(image, declared) for name, declared in self.inputs.items()})
            first = next(iter(self.inputs))
            predicted = self.inferer(inputs=inputs[first][None].to(self.device), network=self.network)
            found = self._postprocess(ensure_tuple(predicted)[0], inputs)
        # Read after the prediction, as the operator does; plain tensors have none.
        inputs[first].meta  # noqa: B018 - the attribute must exist
        return {name: _sent(found[name], declared) for name, declared in self.outputs.items()}

    def _preprocess(self, items: dict[str, Any]) -> dict[str, Any]:
        return self.before(items) if _by_key(self.before) else {key: self.before(item) for key, item in items.items()}

    def _postprocess(self, output: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        first = next(iter(self.outputs))
        return self.after({first: output, **inputs}) if _by_key(self.after) else {first: self.after(output)}


def _by_key(compose: Compose) -> bool:
    return isinstance(next(iter(compose.transforms), None), MapTransform)


def _received(image: np.ndarray, declared: dict[str, Any]) -> MetaTensor:
    assert declared["type"] == "image", "other types arrive as arrays, which the operator reads channel last"
    value = MetaTensor.ensure_torch_and_prune_meta(convert_to_dst_type(image, dst=image)[0], {})
    value.meta.get("space")
    return value


def _sent(value: torch.Tensor, declared: dict[str, Any]) -> dict[str, Any]:
    assert declared["type"] == "probabilities", "other types are emitted as images, or as they are"
    names = [declared["channel_def"][str(int(number))] for number in value.flatten()]
    return {"result": names, "probabilities": value.cpu().numpy()}


def model_file(models: Path) -> Path:
    """Return the TorchScript file that MONAI Deploy finds for `--model`.

    Raises:
        NoPredictorError: It finds none.
    """
    if models.is_dir() and all(entry.is_dir() for entry in models.iterdir()):
        contents = [list(entry.iterdir()) for entry in models.iterdir()]
        found = [files[0] for files in contents if len(files) == 1 and _is_script(files[0])]
        # Without `model_name`, the operator asks for the only model.
        if len(contents) == len(found) == 1:
            return found[0]
    elif _is_script(models):
        return models
    raise NoPredictorError("A predictor of the model is not set.")


def _is_script(path: Path) -> bool:
    if not (path.is_file() and zipfile.is_zipfile(path)):
        return False
    with zipfile.ZipFile(path) as archive:
        names = [name.split("/", 1)[-1] for name in archive.namelist()]
    return "data.pkl" in names and any(name.startswith("code/") for name in names)


def archived_config(path: Path) -> ConfigParser:
    """Return the configs in the archive, read as the operator reads them: from a temporary folder."""
    parser = ConfigParser()
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        parser.read_meta(json.loads(_first(archive.read, f"{path.stem}/extra/metadata")))
        parser.read_config([_first(lambda name: archive.extract(name, folder), f"{path.stem}/extra/inference")])
    parser.parse()
    return parser


def _first(read: Callable[[str], Any], name: str) -> Any:
    """Read the first member that exists with one of the suffixes."""
    for suffix in SUFFIXES:
        with contextlib.suppress(KeyError):
            return read(name + suffix)
    raise OSError(f"Cannot read config {name}{SUFFIXES} or its content in the archive.")
