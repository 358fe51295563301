"""The state dict of a network within what a file of weights holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# What training programs of MONAI's bundles, Ignite, Lightning and timm call the weights of the network, in a dictionary
# that has the optimiser's and others beside it.
KEYS = ("model", "state_dict", "network", "net", "model_state_dict", "network_state_dict", "model_state", "weights")
# What wrappers put before the names of all parameters.
_PREFIXES = ("module.", "_orig_mod.", "model.", "network.", "net.")
# How many keys, and how many prefixes, there are at most.
DEPTH = 3


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
    state = found
    for _, state in states_in(found):
        if set(state) & set(like):
            break
    return state


def keys_of(found: object, like: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys under which the state dict of a network stands in what `torch.load` returned, from the outermost.

    >>> keys_of({"epoch": 3, "state_dict": {"weight": 1.0}}, {"weight": 0})
    ('state_dict',)
    """
    return next((keys for keys, state in states_in(found) if set(state) & set(like)), ())


def under_keys(state: Mapping[str, Any], keys: Sequence[str]) -> Mapping[str, Any]:
    """Return a state dict under keys, the outermost first.

    >>> under_keys({"weight": 1.0}, ["state_dict"])
    {'state_dict': {'weight': 1.0}}
    """
    for key in reversed(keys):
        state = {key: state}
    return state


def states_in(found: object) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Yield what may be the state dict of a network, with its keys: the outermost first; prefixes come off last."""
    keys: tuple[str, ...] = ()
    for _ in range(DEPTH + 1):
        if not isinstance(found, Mapping):
            return
        yield keys, found
        inner = [key for key in KEYS if isinstance(found.get(key), Mapping)]
        if not inner:
            break
        keys, found = (*keys, inner[0]), found[inner[0]]
    for state in _without_prefixes(found):
        yield keys, state


def _without_prefixes(found: object) -> Iterator[Mapping[str, Any]]:
    """Yield a state dict without the prefixes that all its names have, one after the other."""
    for _ in range(DEPTH):
        if not isinstance(found, Mapping) or not found:
            return
        taken = [prefix for prefix in _PREFIXES if all(str(name).startswith(prefix) for name in found)]
        if not taken:
            return
        found = {str(name).removeprefix(taken[0]): value for name, value in found.items()}
        yield found
