"""Appends to the ledger: one process at a time, on disk before it is reported, whole lines only."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from filelock import FileLock

from monai_unlearn.errors import InputError
from monai_unlearn.release.contents import LEDGER_HEAD
from monai_unlearn.release.ledger.head import Head
from monai_unlearn.release.ledger.line import FIRST, Line, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from monai_unlearn.release.ledger.key import LedgerKey
    from monai_unlearn.release.ledger.line import Event

LEDGER = "ledger.jsonl"
_LOCK = ".ledger.lock"
MOVED_ON = "the ledger has other lines than when this was decided. Look at what was done since. Nothing was changed."


class MovedOnError(InputError):
    """Something was done since somebody looked, so what they decided was about something else."""


@dataclass(frozen=True)
class Ledger:
    """The ledger in the folder of a site's version store.

    Attributes:
        folder: The folder; `ledger.jsonl` in it holds the lines, `ledger_head.json` how many there are.
    """

    folder: Path

    @property
    def path(self) -> Path:
        """The file of the lines."""
        return self.folder / LEDGER

    @property
    def head_path(self) -> Path:
        """The file of the head."""
        return self.folder / LEDGER_HEAD

    def append(self, event: Event, key: LedgerKey, *, after: str | None = None) -> Line:
        """Append a line, and return it once it is on disk.

        A line that another process left unfinished, because it was killed, was never reported as written. It is
        removed, and the new line says so.

        Args:
            event: What happened.
            key: The private key that signs the line.
            after: The hash of the line that it must follow, as `Head.hash`; None for whichever is the last.

        Raises:
            MovedOnError: Another line is the last one; nothing is appended.
            InputError: The ledger has fewer lines than its head says, or its last line was changed; nothing is
                appended.
        """
        with self._locked():
            torn = self._remove_torn()
            last = self._last()
            self._check(last)
            if after not in {None, last.hash}:
                raise MovedOnError(MOVED_ON)
            if not self.head_path.exists():
                # Of a ledger that has lines, a missing head is a fault. A process may be killed after its first line.
                last.write(self.head_path)
            line = Line(
                number=last.count + 1,
                when=datetime.now(timezone.utc).isoformat(timespec="microseconds"),
                event=event,
                previous=last.hash,
                torn=torn,
                key=key.fingerprint,
            )
            line = replace(line, hash=line.computed_hash())
            line = replace(line, signature=key.sign(line.hash))
            self._write(line.text().encode() + b"\n")
            Head(line.number, line.hash, last.first if last.count else line.hash).write(self.head_path)
            return line

    def head(self) -> Head:
        """Return how many whole lines there are, and the hash of the last one.

        Raises:
            InputError: The last line is damaged.
        """
        with self._locked():
            return self._last()

    def lines(self) -> list[Line]:
        """Return all whole lines, without checking that they belong together.

        Raises:
            InputError: A line is damaged.
        """
        return [self._parsed(number, text) for number, text in enumerate(self.texts()[0], 1)]

    def texts(self) -> tuple[list[bytes], bytes]:
        """Return the whole lines as they are written, and what stands behind the last line end."""
        content = self.path.read_bytes() if self.path.is_file() else b""
        *whole, rest = content.split(b"\n")
        return whole, rest

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        # Waits: an append takes milliseconds. The system releases the lock of a process that is killed.
        with FileLock(self.folder / _LOCK):
            yield

    def _remove_torn(self) -> Mapping[str, Any] | None:
        _, rest = self.texts()
        if not rest:
            return None
        with self.path.open("r+b") as stream:
            stream.truncate(self.path.stat().st_size - len(rest))
            os.fsync(stream.fileno())
        return {"bytes": len(rest), "sha256": hashlib.sha256(rest).hexdigest()}

    def _last(self) -> Head:
        whole, _ = self.texts()
        if not whole:
            return Head(0, FIRST, FIRST)
        first, line = self._parsed(1, whole[0]), self._parsed(len(whole), whole[-1])
        return Head(len(whole), line.hash, first.hash)

    def _check(self, last: Head) -> None:
        """Refuse to build on a ledger whose tail is missing: the chain would close over the gap."""
        if not self.head_path.exists():
            if last.count:
                raise InputError(f"{self.head_path} is missing, although the ledger has {last.count} lines. {_VERIFY}")
            return
        head = Head.read(self.head_path)
        # A process that was killed between line and head leaves one line more than the head says.
        if last.count < head.count or (last.count == head.count and last.hash != head.hash):
            raise InputError(
                f"{self.path}: expected at least {head.count} lines, the last one with the hash that "
                f"{self.head_path.name} says; found {last.count}. {_VERIFY}"
            )

    def _write(self, text: bytes) -> None:
        is_new = not self.path.exists()
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            while text:
                text = text[os.write(descriptor, text) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            _sync_folder(self.folder)

    def _parsed(self, number: int, text: bytes) -> Line:
        try:
            return parse(text)
        except ValueError:
            raise InputError(f"{self.path}, line {number}: expected a line of a ledger. {_VERIFY}") from None


def _sync_folder(folder: Path) -> None:
    """Make the name of a new file survive a power cut, where the system can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


_VERIFY = "Nothing was changed. Find out what happened: monai-unlearn ledger verify STORE"
