"""The registered audits, in the order in which they run and documents show them: from the cheapest to the costliest.

>>> next(iter(registered()))
'membership'
>>> register(registered()["membership"])
Traceback (most recent call last):
...
ValueError: An audit named 'membership' is already registered.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError, check_choice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monai_unlearn.evaluation.audits.audit import Audit

DEFAULT = "default"
"""All registered audits."""

_AUDITS: dict[str, Audit] = {}


def register(audit: Audit) -> None:
    """Register an audit: from then on runs measure it, and the card shows it.

    Raises:
        ValueError: An audit of that name is already registered.
    """
    if audit.name in _AUDITS:
        raise ValueError(f"An audit named '{audit.name}' is already registered.")
    _AUDITS[audit.name] = audit


def registered() -> Mapping[str, Audit]:
    """Return every audit by name, in the order of registration."""
    return MappingProxyType(_AUDITS)


def chosen(setting: str | Sequence[str] | None) -> tuple[Audit, ...]:
    """Return the audits that the setting `audits` names: `default`, one name, or a list of names, `[]` for none.

    Raises:
        ConfigError: It names no registered audit.
    """
    if setting == DEFAULT:
        return tuple(_AUDITS.values())
    names = [setting] if isinstance(setting, str) else list(setting or [])
    for name in names:
        if not isinstance(name, str):
            raise ConfigError(f"audits: expected {DEFAULT} or a list of names, got {name!r} in the list.")
        check_choice(name, tuple(_AUDITS), name="audits", error=ConfigError)
    return tuple(audit for name, audit in _AUDITS.items() if name in names)
