"""Lets a component take its arguments from the config being run, by their names."""

from __future__ import annotations

import inspect
import pydoc
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar

from monai.bundle import ConfigParser

from monai_unlearn.errors import ConfigError

T = TypeVar("T")
METHOD = "from_config"


def on_the_stack(kind: type[T]) -> T | None:
    """Return the nearest caller's `self` that is of a type; None if there is none.

    MONAI evaluates a config by calling our functions, without telling them which config it is.
    """
    return next(owners_on_the_stack(kind), None)


def owners_on_the_stack(kind: type[T]) -> Iterator[T]:
    """Yield the `self` of each caller, the nearest first, that is of a type."""
    frame = inspect.currentframe()
    while frame is not None:
        owner = frame.f_locals.get("self")
        if isinstance(owner, kind):
            yield owner
        frame = frame.f_back


def config_values(names: Iterator[str] | list[str] | tuple[str, ...]) -> dict[str, Any]:
    """Return the values, parsed and instantiated, of those names that the config being run defines at its top level.

    A value is the same object that `@name` stands for in the config.
    """
    parser = on_the_stack(ConfigParser)
    if parser is None:
        return {}
    return {name: parser.get_parsed_content(name) for name in names if name in parser.config}


def build_from_config(component: type[T], given: Mapping[str, Any]) -> T:
    """Build a dataclass from the arguments given and, for its other fields, from the config being run.

    Args:
        component: A dataclass, whose fields are named as settings of the config are.
        given: Arguments that are not to come from the config.

    Raises:
        ConfigError: A field that is required is neither given nor in the config.
    """
    known = [field for field in fields(component) if field.init]  # type: ignore[arg-type]  # a dataclass, by contract
    values = {**config_values([field.name for field in known if field.name not in given]), **given}
    missing = [
        field.name
        for field in known
        if field.name not in values and field.default is MISSING and field.default_factory is MISSING
    ]
    if missing:
        name = component.__name__
        raise ConfigError(
            f"{name}.{METHOD}: expected {', '.join(missing)} in the config, found none. Define each at the top level, "
            f"or as an argument in the section of {name}."
        )
    return component(**values)


def taken_by_name(section: object) -> Iterator[str]:
    """Yield the settings that components of a config, or of a section of it, take by name with `from_config`."""
    if isinstance(section, list):
        for item in section:
            yield from taken_by_name(item)
    if isinstance(section, Mapping):
        for item in section.values():
            yield from taken_by_name(item)
        target = section.get("_target_")
        if isinstance(target, str) and target.endswith(f".{METHOD}"):
            owner = getattr(pydoc.locate(target), "__self__", None)
            if is_dataclass(owner):
                yield from (field.name for field in fields(owner) if field.name not in section)
            yield from section.get("shared", ())
