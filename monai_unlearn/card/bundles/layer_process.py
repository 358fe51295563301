"""How far each layer of a network moved: `python -m monai_unlearn.card.bundles.layer_process OLD NEW` prints JSON.

A process of its own, because it loads torch, which the commands that show cards do not.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


def layer_changes(old: Mapping[str, Tensor], new: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return the Frobenius norm of the change of each tensor, in float64.

    Args:
        old: A state dict.
        new: Another one.

    Returns:
        `layers`, in the order of the old one: `name`, `norm` of the old tensor, `change`, the norm of new − old, and
        `relative`, change over norm, null where the norm is 0. Tensors of another shape have null in place of numbers.
        `added` and `removed` are names that only one of them has.
    """
    layers = [_layer(name, tensor, new[name]) for name, tensor in old.items() if name in new]
    added, removed = (sorted(set(a) - set(b)) for a, b in ((new, old), (old, new)))
    return {"layers": layers, "added": added, "removed": removed}


def _layer(name: str, old: Tensor, new: Tensor) -> dict[str, Any]:
    if old.shape != new.shape:
        return {"name": name, "norm": None, "change": None, "relative": None}
    before, after = old.double(), new.double()
    norm, change = float(before.norm()), float((after - before).norm())
    return {"name": name, "norm": norm, "change": change, "relative": change / norm if norm else None}


def main(old: str, new: str) -> None:
    """Print the changes between two files of weights, or why they cannot be read."""
    import torch

    found = []
    for path in (old, new):
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        # Whatever a file of others holds: it is not shown layer by layer then.
        except Exception as error:  # noqa: BLE001
            say(json.dumps({"why": f"not a file of tensors alone ({type(error).__name__})"}))
            return
        if not isinstance(state, dict) or not all(isinstance(one, torch.Tensor) for one in state.values()):
            say(json.dumps({"why": "not a dictionary of tensors"}))
            return
        found.append(state)
    say(json.dumps(layer_changes(*found)))


if __name__ == "__main__":
    main(*sys.argv[1:])
