"""Appends to a ledger, one line after the other, and says each one: a process that tests start twice, or kill."""

from __future__ import annotations

import sys
from pathlib import Path

from monai_unlearn.release.ledger import Event, Ledger, LedgerKey


def main(folder: str, key: str, who: str, number: str) -> None:
    ledger, read = Ledger(Path(folder)), LedgerKey.read(Path(key))
    for count in range(int(number)):
        line = ledger.append(Event(event="train", who=who, name="Some", version=f"0.{count}.0"), read)
        sys.stdout.write(f"{line.number} {line.hash}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
