"""A line of the ledger: what happened, chained by hash to the line before, and signed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError, check_choice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EVENTS = (
    *("train", "unlearn", "sign", "promote", "reject", "rollback"),
    # What `watch` does with a request: it is previewed, and then a run starts and finishes, or it is left for a person.
    *("receive", "preview", "leave", "start", "finish"),
)
FIRST = f"sha256:{'0' * 64}"
"""What the first line has as the hash of the line before."""
_PROOF = ("hash", "signature")


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happened, as the caller knows it.

    Args:
        event: One of `EVENTS`.
        who: Who did it.
        name: The name of the bundle.
        version: Its version.
        digests: Digests by what they are of: `weights`, `sums`, `signature`, …
        verdict: The verdict on the bundle; None where nothing judged it.
        why: The reason that was given; None where none was.
        overridden: What spoke against it, line by line.
        place: The folder within the store, of `promote` and `rollback`.

    Raises:
        ConfigError: There is no such event.
    """

    event: str
    who: str
    name: str
    version: str
    digests: Mapping[str, str] = field(default_factory=dict)
    verdict: str | None = None
    why: str | None = None
    overridden: Sequence[str] = ()
    place: str | None = None

    def __post_init__(self) -> None:
        check_choice(self.event, EVENTS, name="event")


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line as it stands in the ledger.

    Attributes:
        number: Its number, from 1.
        when: The time in UTC, as 2026-11-26T14:00:00.000000+00:00.
        event: What happened.
        previous: The hash of the line before.
        torn: The bytes and the digest of an unfinished line that was removed before this one was written; null
            otherwise.
        key: The fingerprint of the key that signed it.
        hash: SHA-256 over everything above, as canonical JSON.
        signature: The signature of the hash, in base64.
    """

    number: int
    when: str
    event: Event
    previous: str
    torn: Mapping[str, Any] | None
    key: str
    hash: str = ""
    signature: str = ""

    def content(self) -> dict[str, Any]:
        """Return what the hash covers."""
        whole = self.to_dict()
        return {name: value for name, value in whole.items() if name not in _PROOF}

    def computed_hash(self) -> str:
        """Return the hash of the content."""
        return f"sha256:{hashlib.sha256(_canonical(self.content()).encode()).hexdigest()}"

    def to_dict(self) -> dict[str, Any]:
        """Return the line as plain values, without nesting: the event's fields stand beside the others."""
        whole = {one.name: getattr(self, one.name) for one in fields(self)}
        event = asdict(whole.pop("event"))
        return {**whole, **event, "overridden": list(event["overridden"])}

    def text(self) -> str:
        """Return the line as canonical JSON, without a line end."""
        return _canonical(self.to_dict())


def parse(text: bytes) -> Line:
    """Return the line that a text is.

    Raises:
        ValueError: It is no line of a ledger, or not in canonical form.
    """
    try:
        content = json.loads(text)
        event = Event(**{one.name: content.pop(one.name) for one in fields(Event)})
        line = Line(event=event, **content)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ConfigError) as error:
        raise ValueError("no line of a ledger") from error
    # Another spelling of the same values would be another text under the same hash.
    if line.text().encode() != text or not isinstance(line.number, int):
        raise ValueError("not canonical")
    return line


def _canonical(content: object) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
