"""The state dict of a network within what a file of weights holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What training programs of MONAI's bundles, Ignite, Lightning and timm call the weights of the network, in a dictionary
# that has the optimiser's and others beside it.
KEYS = ("model", "state_dict", "network", "net", "model_state_dict", "network_state_dict", "model_state", "weights")
# What wrappers put before the names of all parameters.
_PREFIXES = ("module.", "_orig_mod.", "model.", "network.", "net.")
_DEPTH = 3


def state_dict_of(found: Any, like: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever the file holds
    """Return the state dict of a network: as it is, from under a key, without a wrapper's prefix.

    >>> state_dict_of({"epoch": 3, "model": {"module.weight": 1.0, "module.bias": 0.0}}, {"weight": 0, "bias": 0})
    {'weight': 1.0, 'bias': 0.0}

    Args:
        found: What `torch.load` returned.
        like: The network's own state dict, for its names.

    Returns:
        The state dict, or what was found where none fits: `load_state_dict` says what is wrong with it.
    """
    for _ in range(_DEPTH):
        if not isinstance(found, Mapping) or set(found) & set(like):
            return found
        inner = [found[key] for key in KEYS if isinstance(found.get(key), Mapping)]
        if not inner:
            break
        found = inner[0]
    return _without_prefix(found, like) if isinstance(found, Mapping) else found


def _without_prefix(found: Mapping[str, Any], like: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a state dict without the prefixes that all its names have, until they are the network's."""
    for _ in range(_DEPTH):
        prefixes = [prefix for prefix in _PREFIXES if found and all(str(name).startswith(prefix) for name in found)]
        if set(found) & set(like) or not prefixes:
            break
        found = {str(name).removeprefix(prefixes[0]): value for name, value in found.items()}
    return found
