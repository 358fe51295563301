"""The head of a ledger: how many lines it has, and the hash of the last one. It shows that a tail is missing."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from monai_unlearn.errors import InputError
from monai_unlearn.staging import write_json

if TYPE_CHECKING:
    from pathlib import Path

_HASH = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Head:
    """The end of a ledger.

    Attributes:
        count: How many lines it has.
        hash: The hash of the last one; that of a first line's predecessor where it has none.
        first: The hash of the first one, by which ledgers are told apart.
    """

    count: int
    hash: str
    first: str

    @classmethod
    def read(cls, path: Path) -> Head:
        """Read a head that `write` wrote.

        Raises:
            InputError: The file cannot be read, or is no head.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            count, hashes = content["count"], [content["hash"], content["first"]]
        except OSError as error:
            raise InputError(f"{path}: the head cannot be read ({error.strerror}).") from None
        except (ValueError, KeyError, TypeError, RecursionError):
            count, hashes = None, []
        if type(count) is not int or count < 0 or not all(_HASH.fullmatch(str(one)) for one in hashes):
            raise InputError(f"{path}: expected the head of a ledger, with count and hash, got other content.")
        return cls(count, *hashes)

    def write(self, path: Path) -> None:
        """Write the head, replacing an earlier one in one step."""
        write_json(path, {"schema_version": 1, **asdict(self)})
