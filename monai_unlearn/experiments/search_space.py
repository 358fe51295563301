"""What a rehearsal tries of each method, as the method's registration says, read without loading torch."""

from __future__ import annotations

import json
import math
import subprocess
from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError, TrainingError, check_choice
from monai_unlearn.safe_path import module_command, safe_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Setting = str | int | float | bool
Space = dict[str, list[Setting]]
EVERY = "all"
DEFAULT = "default"
"""In place of a method: what the bundle's config says, which chooses by the cohort unless it names one."""


def search_spaces(names: Sequence[str], *, folder: Path, default: bool = False) -> dict[str, Space]:
    """Return the values that a rehearsal tries of each setting, by method and id of the config.

    Args:
        names: Registered methods; with `all` among them, every one.
        folder: The bundle, where its own modules lie.
        default: Whether `default` is a name too; it leaves nothing to try.

    Raises:
        ConfigError: A method is unknown, or given twice.
        TrainingError: The methods cannot be listed.
    """
    records = _records(folder) | ({DEFAULT: {}} if default and DEFAULT in names else {})
    for name in names:
        check_choice(name, [*sorted({*records, *([DEFAULT] if default else [])}), EVERY], name="--methods")
    if len(set(names)) < len(names):
        raise ConfigError(f"--methods {','.join(names)}: expected each method once.")
    if EVERY in names:
        names = sorted(records)
    return {name: {key: list(values) for key, values in records[name].items()} for name in names}


def narrowed(space: Space, vary: Sequence[str]) -> Space:
    """Return a space in which only some settings vary, and the others are where the method starts from.

    Args:
        space: The values of each setting.
        vary: The ids that vary; of a method that has none of them, or where none are given, all do.

    >>> narrowed({"method::depth": ["head", 2], "training::rate_factor": [1.0, 0.5]}, ["training::rate_factor"])
    {'method::depth': ['head'], 'training::rate_factor': [1.0, 0.5]}
    """
    if not set(vary) & set(space):
        return space
    return {name: values if name in vary else values[:1] for name, values in space.items()}


def check_vary(vary: Sequence[str], spaces: Mapping[str, Space], *, folder: Path) -> None:
    """Refuse an id that no method has: a misspelt one would narrow nothing, and everything would be tried.

    Args:
        vary: The ids.
        spaces: What is tried of the methods that were asked for.
        folder: The bundle, as of `search_spaces`.

    Raises:
        ConfigError: No registered method tries values of an id.
    """
    known = {name for space in spaces.values() for name in space}
    if set(vary) <= known:
        return
    known |= {name for space in search_spaces([EVERY], folder=folder).values() for name in space}
    for name in vary:
        check_choice(name, sorted(known), name="--vary")


def size_of(space: Mapping[str, Sequence[Setting]]) -> int:
    """Return how many combinations of settings a space has."""
    return math.prod(len(values) for values in space.values())


def start_of(space: Mapping[str, Sequence[Setting]]) -> dict[str, Setting]:
    """Return the settings to start from."""
    return {name: values[0] for name, values in space.items()}


def method_setting(name: str, settings: Mapping[str, Setting]) -> tuple[dict[str, Setting], dict[str, Setting]]:
    """Return what `--method` takes, and the settings beside it.

    >>> method_setting("reset", {"method::depth": "head", "training::rate_factor": 2.0})
    ({'name': 'reset', 'depth': 'head'}, {'training::rate_factor': 2.0})
    """
    prefix = "method::"
    own = {key.removeprefix(prefix): value for key, value in settings.items() if key.startswith(prefix)}
    return {"name": name, **own}, {key: value for key, value in settings.items() if not key.startswith(prefix)}


def _records(folder: Path) -> dict[str, Space]:
    done = subprocess.run(  # noqa: S603 - no shell, and a module of this package
        module_command("monai_unlearn.methods", folder=folder),
        capture_output=True,
        text=True,
        check=False,
        env=safe_environment(),
    )
    if done.returncode:
        last = (done.stderr.strip() or "it printed nothing").splitlines()[-1]
        raise TrainingError(f"the methods could not be listed: {last}")
    return {name: record["search_space"] for name, record in json.loads(done.stdout).items()}
