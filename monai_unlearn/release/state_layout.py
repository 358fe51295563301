"""The state dict of a network within what a file of weights holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# What training programs of MONAI's bundles, Ignite, Lightning and timm call the weights of the network, in a dictionary
# that has the optimiser's and others beside it.
KEYS = ("model", "state_dict", "network", "net", "model_state_dict", "network_state_dict", "model_state", "weights")
# What wrappers put before the names of all parameters.
_PREFIXES = ("module.", "_orig_mod.", "model.", "network.", "net.")
_DEPTH = 3


@dataclass(frozen=True, kw_only=True)
class StateLayout:
    """Where the state dict of a network stands in a file.

    Attributes:
        keys: The keys of the dictionaries around it, from the outermost; none where the file holds the state dict alone.
        prefix: What a wrapper put before the names of all parameters.
    """

    keys: tuple[str, ...] = ()
    prefix: str = ""

    def around(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a file of this layout holds, without what may stand beside the state dict.

        >>> StateLayout(keys=("state_dict",), prefix="module.").around({"weight": 1.0})
        {'state_dict': {'module.weight': 1.0}}
        """
        found: dict[str, Any] = {f"{self.prefix}{name}": value for name, value in state.items()}
        for key in reversed(self.keys):
            found = {key: found}
        return found


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


def layout_of(found: object, like: Mapping[str, Any]) -> StateLayout:
    """Return the layout of what `torch.load` returned; that of a plain state dict where nothing fits the network."""
    fitting = (layout for layout, state in states_in(found) if set(state) & set(like))
    return next(fitting, StateLayout())


def states_in(found: object) -> Iterator[tuple[StateLayout, Mapping[str, Any]]]:
    """Yield whatever may be the state dict of a network, with its layout: the outermost first, prefixes come off last."""
    keys: tuple[str, ...] = ()
    for _ in range(_DEPTH + 1):
        if not isinstance(found, Mapping):
            return
        yield StateLayout(keys=keys), found
        inner = [key for key in KEYS if isinstance(found.get(key), Mapping)]
        if not inner:
            break
        keys, found = (*keys, inner[0]), found[inner[0]]
    yield from _without_prefixes(found, keys)


def _without_prefixes(found: object, keys: tuple[str, ...]) -> Iterator[tuple[StateLayout, Mapping[str, Any]]]:
    """Yield a state dict without the prefixes that all its names have, one after the other."""
    prefix = ""
    for _ in range(_DEPTH):
        if not isinstance(found, Mapping) or not found:
            return
        taken = [one for one in _PREFIXES if all(str(name).startswith(one) for name in found)]
        if not taken:
            return
        prefix += taken[0]
        found = {str(name).removeprefix(taken[0]): value for name, value in found.items()}
        yield StateLayout(keys=keys, prefix=prefix), found
