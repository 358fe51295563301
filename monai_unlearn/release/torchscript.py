"""A bundle's network as TorchScript, which runs without this package and without the network's code."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from monai.bundle import ConfigParser, ckpt_export

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.bundle_info import BundleInfo
from monai_unlearn.release.contents import WEIGHTS
from monai_unlearn.release.sums import update_sums
from monai_unlearn.release.weights import load_weights, save_weights
from monai_unlearn.staging import staged_file
from monai_unlearn.vocabulary.bundle_files import METADATA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor, nn

SCRIPT = Path("models/model.ts")
INFERENCE = Path("configs/inference.yaml")
NETWORK = "network_def"
TOLERANCE = 1e-5

_PROBES = 4


def export_torchscript(bundle_root: str | Path, *, target: str | Path | None = None) -> Path:
    """Export a bundle's weights with MONAI's `ckpt_export`, and check that the export computes the same outputs.

    The file contains the metadata and the inference config, from which MONAI Deploy sets up an application.

    Args:
        bundle_root: The bundle, with weights at `models/model.pt` and a `configs/inference.yaml`.
        target: The file to write; by default `models/model.ts` of the bundle.

    Returns:
        The file, written whole or not at all.

    Raises:
        ConfigError: The bundle is incomplete, or the export computes other outputs than the network.
    """
    root = Path(bundle_root)
    path = Path(target) if target else root / SCRIPT
    metadata = BundleInfo.read(root).metadata
    network = bundle_network(root)
    # TorchScript files store the name they are written under, and MONAI Deploy looks for it: staging keeps it.
    with staged_file(path) as aside, tempfile.TemporaryDirectory() as folder, _quiet():
        # MONAI's export looks for the weights under no key, and loads what fits.
        plain = Path(folder, WEIGHTS.name)
        save_weights(network, plain)
        ckpt_export(
            net_id=NETWORK,
            filepath=str(aside),
            ckpt_file=str(plain),
            meta_file=str(root / METADATA),
            config_file=str(root / INFERENCE),
            bundle_root=str(root),
        )
        difference = largest_difference(network, _load(aside), probe_inputs(metadata))
        if not difference <= TOLERANCE:
            raise ConfigError(
                f"{path}: the exported network differs from the bundle's by {difference:.1g}, more than {TOLERANCE}. "
                "TorchScript does not support something in its code; nothing was written."
            )
    if path.resolve().is_relative_to(root.resolve()):
        update_sums(root, [path.resolve().relative_to(root.resolve()).as_posix()])
    return path


def bundle_network(bundle_root: str | Path) -> nn.Module:
    """Return a bundle's network with its weights, on the CPU, for evaluation.

    Raises:
        ConfigError: There is no inference config, or the weights do not fit.
    """
    root = Path(bundle_root)
    if not (root / INFERENCE).is_file():
        raise ConfigError(f"{root / INFERENCE} is missing, and with it the definition of the network. Add the config.")
    parser = ConfigParser()
    parser.read_config(str(root / INFERENCE))
    parser.read_meta(str(root / METADATA))
    return load_weights(parser.get_parsed_content(NETWORK), root / WEIGHTS).eval()


def probe_inputs(metadata: Mapping[str, Any]) -> Tensor:
    """Return seeded random inputs of the shape in the metadata, (batch, channel, *spatial).

    Raises:
        ConfigError: The metadata have no shape in numbers.
    """
    image = metadata.get("network_data_format", {}).get("inputs", {}).get("image", {})
    shape = [image.get("num_channels"), *image.get("spatial_shape", [None])]
    if not all(isinstance(size, int) for size in shape):
        raise ConfigError(f"{METADATA}: expected channels and spatial_shape of 'image' in numbers, got {shape}.")
    return torch.randn(_PROBES, *shape, generator=torch.Generator().manual_seed(0))


def largest_difference(network: nn.Module, exported: nn.Module, inputs: Tensor) -> float:
    """Return the largest absolute difference of two networks' outputs."""
    with torch.no_grad():
        return float((network.eval()(inputs) - exported.eval()(inputs)).abs().max())


@dataclass(frozen=True, kw_only=True)
class Exported:
    """The content of an exported file.

    Attributes:
        network: The network, on the CPU, for evaluation.
        metadata: The bundle's metadata.
    """

    network: nn.Module
    metadata: Mapping[str, Any]


def read_export(path: str | Path) -> Exported:
    """Read a file that `export_torchscript` wrote.

    Raises:
        ConfigError: The file cannot be read, or contains no metadata.
    """
    extra = {"metadata.json": ""}
    try:
        with _quiet():
            network = _load(path, extra)
        return Exported(network=network.eval(), metadata=json.loads(extra["metadata.json"]))
    except (RuntimeError, ValueError, OSError) as error:
        raise ConfigError(
            f"{path}: expected a TorchScript file with the metadata of a bundle ({type(error).__name__}). Export the "
            "bundle with export_torchscript."
        ) from error


def _load(path: str | Path, extra: dict[str, str] | None = None) -> nn.Module:
    loaded: nn.Module = torch.jit.load(  # type: ignore[no-untyped-call]  # torch's stubs lack it
        path, map_location="cpu", _extra_files=extra
    )
    return loaded


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppress MONAI's log of its arguments and torch's deprecation warning about TorchScript."""
    before = logging.root.manager.disable
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        logging.disable(logging.INFO)
        try:
            yield
        finally:
            logging.disable(before)
