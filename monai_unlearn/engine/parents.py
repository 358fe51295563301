"""The networks that a run composes: read from their bundles, and the ones that they are said to be."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError
from monai_unlearn.release import load_weights, weights_digest

if TYPE_CHECKING:
    from torch import Tensor, nn

_ENTRIES = ("weights", "version", "weights_digest", "base_weights_digest", "gradient_evaluations", "seconds")


@dataclass(frozen=True, kw_only=True)
class Parent:
    """A network that a run composes.

    Attributes:
        version: The version of its bundle.
        weights_digest: The digest of its weights.
        state: Its state dict, on the CPU.
        gradient_evaluations: What revising it cost, in gradients of single images; None where unknown.
        seconds: The same in seconds; None where unknown.
    """

    version: str
    weights_digest: str
    state: Mapping[str, Tensor]
    gradient_evaluations: float | None
    seconds: float | None

    def to_dict(self) -> dict[str, str]:
        """Return what cards and records name it by; the file that it was read from is not among it."""
        return {"version": self.version, "weights_digest": self.weights_digest}


def read_parents(given: object, network: nn.Module) -> tuple[Parent, ...]:
    """Read what the setting `parents` names.

    Args:
        given: Nothing, or a mapping for each network: `weights`, the file; `version` and `weights_digest` of its
            bundle; `base_weights_digest`, of the weights that it was revised from, or null for the original itself;
            `gradient_evaluations` and `seconds` that revising it took.
        network: The network to revise, with the original weights.

    Raises:
        ConfigError: An entry is none of these, weights cannot be read, fit another network or are not those of the
            digest, a network was revised from other weights than the original, or two have the same weights.
    """
    if not given:
        return ()
    if not isinstance(given, Sequence) or not all(isinstance(one, Mapping) and {*one} == {*_ENTRIES} for one in given):
        raise ConfigError(
            f"parents: expected a list of mappings with {', '.join(_ENTRIES)}. Use `monai-unlearn compose`."
        )
    original = weights_digest(network.state_dict())
    found = tuple(_read(one, network, original) for one in given)
    if len({one.weights_digest for one in found}) < len(found):
        raise ConfigError("parents: two of the networks to compose have the same weights. Give different ones.")
    return found


def _read(one: Mapping[str, Any], network: nn.Module, original: str) -> Parent:
    if one["base_weights_digest"] not in {None, original}:
        raise ConfigError(
            f"{one['weights']} was revised from other weights ({one['base_weights_digest']}) than the original of this "
            f"run ({original}). Compose revisions of one original; give it with --original BUNDLE."
        )
    path = Path(one["weights"])
    state = load_weights(copy.deepcopy(network), path).state_dict()
    if (digest := weights_digest(state)) != one["weights_digest"]:
        raise ConfigError(
            f"{path} holds other weights ({digest}) than those that are to be composed ({one['weights_digest']}). They "
            "were changed since; give the bundle as the run wrote it, and the original that both were revised from."
        )
    return Parent(
        version=str(one["version"]),
        weights_digest=digest,
        state={name: value.detach().cpu() for name, value in state.items()},
        gradient_evaluations=one["gradient_evaluations"],
        seconds=one["seconds"],
    )
