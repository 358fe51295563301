"""The registered audits, in the order in which they run and documents show them: from the cheapest to the costliest.

>>> next(iter(registered()))
'membership'
>>> register(registered()["membership"])
Traceback (most recent call last):
...
ValueError: An audit named 'membership' is already registered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError, check_choice
from monai_unlearn.evaluation.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.evaluation.audits.audit import Audit

DEFAULT = "default"
"""All registered audits."""

_AUDITS: Registry[Audit] = Registry("An audit")

register = _AUDITS.register
registered = _AUDITS.registered


def chosen(setting: str | Sequence[str] | None) -> tuple[Audit, ...]:
    """Return the audits that the setting `audits` names: `default`, one name, or a list of names, `[]` for none.

    Raises:
        ConfigError: It names no registered audit.
    """
    if setting == DEFAULT:
        return tuple(registered().values())
    names = [setting] if isinstance(setting, str) else list(setting or [])
    for name in names:
        if not isinstance(name, str):
            raise ConfigError(f"audits: expected {DEFAULT} or a list of names, got {name!r} in the list.")
        check_choice(name, tuple(registered()), name="audits", error=ConfigError)
    return tuple(audit for name, audit in registered().items() if name in names)
