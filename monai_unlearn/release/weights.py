"""Weights as pure tensors: read without unpickling code, written whole or not at all, identified by digest."""

from __future__ import annotations

import hashlib
import pickle
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.state_layout import keys_of, state_dict_of, states_in, under_keys
from monai_unlearn.release.sums import check_bundle_of
from monai_unlearn.staging import staged_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_UNREADABLE = (
    *(OSError, pickle.UnpicklingError, EOFError, RuntimeError),
    *(TypeError, AttributeError, ValueError, LookupError),
)


def load_weights(network: nn.Module, checkpoint: str | Path) -> nn.Module:
    """Load a state dict into a network, in place, and return the network.

    The file holds a state dict, or one in a dictionary as training programs write it; see `state_dict_of`.

    Where the weights belong to a bundle with `SHA256SUMS`, every file that it lists is compared first.

    Raises:
        ConfigError: The file is missing, is not a pure tensor state dict, belongs to another network, or holds a value
            that is not finite; or a file of the bundle is not the one that was released.
    """
    path = Path(checkpoint)
    check_bundle_of(path)
    try:
        state = state_dict_of(torch.load(path, map_location="cpu", weights_only=True), network.state_dict())
        network.load_state_dict(state)
        _check_values(state, path)
    except FileNotFoundError:
        raise ConfigError(
            f"there are no weights at {path}. Train them first (python -m monai.bundle run train "
            "--config_file BUNDLE/configs/train.yaml --index_dir DIR), or give --checkpoint FILE."
        ) from None
    except (pickle.UnpicklingError, EOFError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{path} is not a state dict of tensors ({type(error).__name__}). Only such files are read; save the "
            "model with torch.save(network.state_dict(), path)."
        ) from error
    except RuntimeError as error:
        raise ConfigError(
            f"{path} does not fit the bundle's network_def: {str(error).splitlines()[-1].strip()}"
        ) from error
    return network


def _check_values(state: Mapping[str, Tensor], path: Path) -> None:
    """Refuse weights that are not finite: every prediction would be NaN, at the end of all the work."""
    for name, tensor in state.items():
        if tensor.is_floating_point() and (wrong := int((~tensor.isfinite()).sum())):
            raise ConfigError(
                f"{path}: {wrong:,} of {tensor.numel():,} values of {name} are NaN or infinite. The file is damaged, "
                "or its training diverged: get other weights."
            )


def saved_keys(path: Path, network: nn.Module) -> tuple[str, ...]:
    """Return the keys under which the state dict of a network stands in a file; none where it does not fit."""
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except _UNREADABLE:
        return ()
    return keys_of(found, network.state_dict())


def save_weights(network: nn.Module, path: Path, keys: Sequence[str] = ()) -> None:
    """Write a network's state dict, on the CPU, whole or not at all.

    Args:
        network: The network.
        path: The file.
        keys: The keys under which the state dict stands in the file, from the outermost.
    """
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    # torch stores the name it writes to: with this one, the same weights keep the bytes that they always had.
    with staged_file(path, name=f".{path.name}.partial") as aside:
        torch.save(under_keys(state, keys), aside)


def holds_weights(path: Path, digest: str) -> bool:
    """Return whether a file holds the weights of a digest, in any layout; true as well where it cannot be read.

    `load_weights` says what is wrong with a file that cannot be.
    """
    found = path.stat()
    return _holds(path, digest, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=64)
def _holds(path: Path, digest: str, _modified: int, _size: int) -> bool:
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except _UNREADABLE:
        return True
    states = (state for _, state in states_in(found) if all(isinstance(one, Tensor) for one in state.values()))
    return any(weights_digest(state) == digest for state in states)


def weights_digest(state: Mapping[str, Tensor]) -> str:
    """Return `sha256:…` over names, types, shapes and values, independent of the file format."""
    digest = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        digest.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return f"sha256:{digest.hexdigest()}"
