"""What a run by a protocol is held to beyond what the protocol says: the rest of the config that was rehearsed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from monai_unlearn.evaluation.decision.protocol import GIVEN_TO_A_RUN, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection

RECIPE = "training_recipe"
"""The section in which a config is given how the original weights were trained: methods take their steps after it."""
# What a protocol says itself, and compares value by value.
_SAID = ("method", "budget", "decision", "stop")
# Only look at the network, or at the run; `initialize` sets up the processes.
_OBSERVERS = ("audits", "tracking", "imports", "initialize", "finalize")
# Handlers that only look, by the last part of `_target_`. Any other may change the rate, the gradients or the weights.
_HANDLERS = (
    *("ProgressBar", "StatsHandler", "TensorBoardStatsHandler", "TensorBoardImageHandler", "MLFlowHandler"),
    *("CheckpointSaver", "MetricLogger"),
)
# MONAI's tracking adds these.
_TRACKING = ("tracking_uri", "experiment_name", "run_name", "save_execute_config", "is_not_rank0")
GIVEN_WITHIN = {"subsets": ("splits", "memory", "cache_dir", "output_dir")}
"""Sections of which a run is given some keys anew, and is held to the others."""


def held_settings(config: Mapping[str, Any], *, said: Collection[str]) -> dict[str, str]:
    """Return a digest of each section of a config that decides weights and that a protocol does not say itself.

    Left out are what each run is given anew, such as paths and the device, what only observes, and what the protocol
    says. A whole number counts as the same whether it is written as 2 or 2.0.

    Args:
        config: The config as executed, of plain values, with `RECIPE`.
        said: Ids of the settings that the protocol says.

    >>> held = held_settings({"seed": 3, "steps": 60, "train": {"x": 1}}, said=["train::x"])
    >>> sorted(held)
    ['steps', 'train']
    """
    given = {*GIVEN_TO_A_RUN, *_SAID, *_OBSERVERS, *_TRACKING} - set(GIVEN_WITHIN)
    kept = {key: _without(value, key, said) for key, value in config.items() if key not in {*given, *said}}
    return {key: _digest(value) for key, value in kept.items()}


def not_held(protocol: Protocol, config: Mapping[str, Any]) -> str | None:
    """Return the first id of a config that is not as it was rehearsed, or None.

    A protocol that was written without a rehearsal may hold a run to nothing further.
    """
    if not protocol.config:
        return None
    found = held_settings(config, said=protocol.settings)
    names = {**protocol.config, **found}
    return next((name for name in names if found.get(name) != protocol.config.get(name)), None)


def _without(value: object, name: str, said: Collection[str]) -> object:
    """Return a section without what is given anew, observes, or is said; whole numbers as such."""
    if isinstance(value, Mapping):
        left_out = {*_OBSERVERS, *GIVEN_WITHIN.get(name, ())}
        return {
            str(key): _without(item, f"{name}::{key}", said)
            for key, item in value.items()
            if key not in left_out and f"{name}::{key}" not in said
        }
    if isinstance(value, (list, tuple)):
        kept = [item for item in value if not _only_looks(item)]
        return [_without(item, f"{name}::{place}", said) for place, item in enumerate(kept)]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _only_looks(item: object) -> bool:
    target = item.get("_target_") if isinstance(item, Mapping) else None
    return isinstance(target, str) and target.rpartition(".")[2] in _HANDLERS


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
