"""The method that a config names: a component, a registered name, or a name with settings."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from monai.bundle import ConfigParser

from monai_unlearn import strict_yaml
from monai_unlearn.errors import ConfigError, SpecError, check_choice
from monai_unlearn.methods import Method, info_of, registered

# Who chose a method that is not the default for the cohort.
_OTHERWISE = {"user": "the user chose it", "protocol": "the protocol was rehearsed with it"}


def method_of(given: object) -> Method:
    """Return the method that the setting `method` of a config names.

    Args:
        given: A method; its registered name, such as `reset`; a mapping of `name` and its settings, such as
            `{name: reset, depth: head}`; or such a mapping as text, with `_target_` in place of `name` too, since the
            command line does not parse a value that contains one unquoted.

    Raises:
        ConfigError: There is no such method, or it does not take these settings.

    >>> method_of("{name: reset, depth: head}").depth
    'head'
    """
    if isinstance(given, str) and given.lstrip().startswith("{"):
        given = _read(given)
    if isinstance(given, str):
        given = {"name": given}
    if isinstance(given, Mapping) and "_target_" in given:
        given = ConfigParser(dict(given)).get_parsed_content()
    if isinstance(given, Mapping):
        given = _named(given)
    if not isinstance(given, Method):
        raise ConfigError(
            f"method: expected a method, its name or a mapping with its name, got {type(given).__name__}. "
            f"The names are {', '.join(sorted(registered()))}."
        )
    return given


def settings_of(method: Method) -> dict[str, object]:
    """Return the class of a method and the settings that it keeps as plain values under their own names."""
    names = inspect.signature(type(method).__init__).parameters
    kept = {name: getattr(method, name) for name in names if hasattr(method, name)}
    plain = {name: value for name, value in kept.items() if isinstance(value, (str, int, float, bool))}
    return {"_target_": type(method).__name__, **plain}


def choice_of(method: Method, *, by_protocol: bool) -> dict[str, str]:
    """Return which method a run used, who chose it (`default`, `user` or `protocol`), and on what ground.

    Args:
        method: The method, after it ran: what it decided by itself belongs to the ground.
        by_protocol: Whether the run follows a protocol, which says the method.

    >>> choice_of(method_of("finetune"), by_protocol=False)
    {'name': 'finetune', 'chosen_by': 'user', 'ground': 'the user chose it'}
    """
    by = "protocol" if by_protocol else "default" if method.ground else "user"
    ground = [method.ground or _OTHERWISE[by], method.decided]
    return {"name": info_of(method).name, "chosen_by": by, "ground": ". ".join(filter(None, ground))}


def _read(text: str) -> object:
    try:
        return strict_yaml.load(text, source="--method")
    except SpecError as error:
        raise ConfigError(f"method: expected a name or a mapping, got '{text}'. {error}") from error


def _named(given: Mapping[str, Any]) -> Method:
    known = registered()
    settings = {key: value for key, value in given.items() if key != "name"}
    check_choice(given.get("name"), sorted(known), name="method")
    _, kind = known[str(given["name"])]
    try:
        return kind(**settings)
    except TypeError as error:
        raise ConfigError(f"method: {given['name']} does not take these settings ({error}).") from error
