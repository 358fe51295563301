"""A registry of records by their names: of metrics, audits and predictors."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping


class Named(Protocol):
    """A record with a name of its own."""

    @property
    def name(self) -> str:
        """What configs and documents call it."""


N = TypeVar("N", bound=Named)


class Registry(Generic[N]):
    """Records by name, in the order in which they were registered.

    Args:
        kind: What they are, with its article, for messages.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._records: dict[str, N] = {}

    def register(self, record: N) -> None:
        """Add a record.

        Raises:
            ValueError: One of that name is already registered.
        """
        if record.name in self._records:
            raise ValueError(f"{self._kind} named '{record.name}' is already registered.")
        self._records[record.name] = record

    def registered(self) -> Mapping[str, N]:
        """Return every record by name, in the order of registration."""
        return MappingProxyType(self._records)
