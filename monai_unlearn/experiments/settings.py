"""Read the settings of a sweep, `--set ID=V1,V2,…` and `--fix ID=VALUE`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Config ids that the command sets, and where their values come from.
SET_BY_SWEEP = {
    "index_dir": "--index",
    "cohort_spec": "SPEC",
    "output_dir": "--out",
    "reference": "--reference",
    "subsets::splits": "a sweep evaluates all three splits",
}
# Sections that a command chooses, but whose settings are the user's: `--fix method::depth=head`.
_OPEN = frozenset({"method", "tracking"})
_ID = re.compile(r"\w+(::\w+)*")
_BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


def read_axes(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read `--set ID=V1,V2,…`.

    Raises:
        ConfigError: A text has another form, an id or a value is given twice, or no id is given.

    >>> read_axes(["method::noise=0,0.1", "phases=[1,2],[]"])
    {'method::noise': ('0', '0.1'), 'phases': ('[1,2]', '[]')}
    """
    axes: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, value = _pair(text, "--set", "ID=V1,V2,…")
        values = _split(value)
        if name in axes:
            raise ConfigError(f"--set {name} is given twice. Give all its values at once: --set {name}=V1,V2,…")
        if "" in values or len(set(values)) < len(values):
            raise ConfigError(f"--set {name}: expected distinct values separated by commas, got '{value}'.")
        axes[name] = values
    if not axes:
        raise ConfigError("nothing to sweep. Give at least one --set ID=V1,V2,…, for example --set method::noise=0,0.1")
    return axes


def read_fixed(
    texts: Sequence[str],
    axes: Mapping[str, tuple[str, ...]],
    *,
    set_by: Mapping[str, str] = SET_BY_SWEEP,
    option: str = "--fix",
) -> dict[str, str]:
    """Read `--fix ID=VALUE`, or another option of this form.

    Args:
        texts: The options.
        axes: The values to try for each id that is not fixed.
        set_by: The ids that the command sets itself, and where their values come from.
        option: The option's name, for messages.

    Raises:
        ConfigError: A text has another form, or an id is given twice, is swept as well, or is the command's to set.
    """
    fixed: dict[str, str] = {}
    for text in texts:
        name, value = _pair(text, option, "ID=VALUE", set_by)
        if name in fixed or name in axes:
            raise ConfigError(f"{option} {name}: it is already set. Leave one of the two out.")
        fixed[name] = value
    return fixed


def _pair(text: str, option: str, form: str, set_by: Mapping[str, str] = SET_BY_SWEEP) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    name = name.strip().replace("#", "::")
    if not equals or not _ID.fullmatch(name) or not value.strip():
        raise ConfigError(f"{option}: expected {form} with an id of the config, got '{text}'.")
    if name in set_by:
        raise ConfigError(f"{option} {name}: the command sets it itself ({set_by[name]}). Leave it out.")
    above = _set_above(name, set_by)
    if above:
        raise ConfigError(f"{option} {name}: the command sets {above} itself ({set_by[above]}). Leave it out.")
    return name, value.strip()


def _set_above(name: str, set_by: Mapping[str, str]) -> str | None:
    """Return the id above this one that the command sets as a whole, so that nothing can lie below it."""
    words = name.split("::")
    above = ("::".join(words[:number]) for number in range(1, len(words)))
    return next((one for one in above if one in set_by and one not in _OPEN), None)


def _split(text: str) -> tuple[str, ...]:
    """Split at commas outside brackets."""
    depth, words = 0, [""]
    for letter in text:
        depth += _BRACKETS.get(letter, 0)
        if letter == "," and depth == 0:
            words.append("")
        else:
            words[-1] += letter
    return tuple(word.strip() for word in words)
