"""Run a bundle as MONAI Deploy's MonaiBundleInferenceOperator does, without Holoscan.

Modelled on the operator of monai-deploy-app-sdk 3: configs are read from the archive of the TorchScript file, loading
and saving transforms are dropped by name, and the rest runs on an image in memory.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor
from monai.inferers import SimpleInferer
from monai.transforms import Compose, MapTransform
from monai.utils import convert_to_dst_type, ensure_tuple

if TYPE_CHECKING:
    import numpy as np

DROPPED = ("LoadImage", "SaveImage")


class Operator:
    """Loads a bundle from one TorchScript file, or from weights where the config defines the network.

    Args:
        path: `model.ts`.
        network: The network, if it is not the one in the file.
    """

    def __init__(self, path: Path, *, network: torch.nn.Module | None = None) -> None:
        self.parser = archived_config(path)
        self.device = self.parser.get_parsed_content("device") if self.parser.get("device") is not None else "cpu"
        inferer = self.parser.get("inferer")
        self.inferer = SimpleInferer() if inferer is None else self.parser.get_parsed_content("inferer")
        self.inputs, self.outputs = (
            self.parser["_meta_"]["network_data_format"][name] for name in ("inputs", "outputs")
        )
        self.before, self.after = (self._compose(name) for name in ("preprocessing", "postprocessing"))
        self.network = torch.jit.load(path, map_location=self.device).eval() if network is None else network

    def _compose(self, name: str) -> Compose:
        compose = self.parser.get_parsed_content(name)
        compose.transforms = tuple(
            step for step in compose.transforms if not any(word in type(step).__name__ for word in DROPPED)
        )
        return compose

    def __call__(self, image: np.ndarray, metadata: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return `result`, the likeliest class, and `probabilities`."""
        (name,) = self.inputs
        with torch.no_grad():
            value = MetaTensor.ensure_torch_and_prune_meta(convert_to_dst_type(image, dst=image)[0], metadata or {})
            inputs = self.before({name: value})
            first = inputs.pop(name)[None].to(self.device)
            outputs = ensure_tuple(self.inferer(inputs=first, network=self.network))[0]
            (output,) = self.outputs
            assert isinstance(self.after.transforms[0], MapTransform)
            found = self.after({output: outputs, **inputs})[output]
        names = self.outputs[output]["channel_def"]
        _, number = found.max(dim=0)
        return {"result": [names[str(int(each))] for each in number.flatten()], "probabilities": found.cpu().numpy()}


def archived_config(path: Path) -> ConfigParser:
    """Return the configs in the archive, read as the operator reads them: from a temporary folder."""
    parser = ConfigParser()
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        # The folder within the archive has the name of the file.
        parser.read_meta(json.loads(archive.read(f"{path.stem}/extra/metadata.json")))
        archive.extract(f"{path.stem}/extra/inference.json", folder)
        parser.read_config([Path(folder) / f"{path.stem}/extra/inference.json"])
    parser.parse()
    return parser
