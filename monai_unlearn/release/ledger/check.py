"""Checks a ledger line by line: content, order, signatures, and that no tail is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.release.ledger.line import FIRST, parse
from monai_unlearn.release.verify.report import Fault, Kind, tampered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from monai_unlearn.release.ledger.head import Head
    from monai_unlearn.release.ledger.key import LedgerKey
    from monai_unlearn.release.ledger.ledger import Ledger
    from monai_unlearn.release.ledger.line import Line


def check(
    ledger: Ledger, *, keys: Sequence[LedgerKey] = (), heads: Mapping[str, Head] | None = None
) -> tuple[list[Fault], list[str]]:
    """Check a ledger.

    Args:
        ledger: The ledger.
        keys: The public keys that its lines may be signed with; with none, signatures are not checked.
        heads: What the ledger must still hold, by what says so: the heads of the store and of signed releases.

    Returns:
        What is wrong, line by line, and what else there is to know.
    """
    whole, rest = ledger.texts()
    lines, faults = _parsed(whole)
    faults += _chain(lines)
    by_fingerprint = {key.fingerprint: key for key in keys}
    for number, line in lines.items():
        if keys:
            faults += _signature(number, line, by_fingerprint.get(line.key))
    for source, head in (heads or {}).items():
        faults += _held(head, source, lines, count=len(whole))
    notes = [] if keys or not whole else ["Signatures were not checked: give --public-key FILE."]
    if rest:
        notes.append(
            f"After line {len(whole)} there are {len(rest)} bytes of an unfinished line: a process ended while it "
            "wrote. Nothing that was reported as written is missing; the next append removes them."
        )
    return sorted(faults, key=lambda fault: _number(fault.file)), notes


def _parsed(whole: Sequence[bytes]) -> tuple[dict[int, Line], list[Fault]]:
    lines: dict[int, Line] = {}
    faults = []
    for number, text in enumerate(whole, 1):
        line = _line(text)
        if line is None:
            faults.append(tampered(_name(number), "is no line of a ledger any more: it was damaged or edited."))
        else:
            lines[number] = line
    return lines, faults


def _line(text: bytes) -> Line | None:
    try:
        return parse(text)
    except ValueError:
        return None


def _chain(lines: Mapping[int, Line]) -> Iterator[Fault]:
    for number, line in lines.items():
        if (found := line.computed_hash()) != line.hash:
            yield tampered(_name(number), f"was edited: its content has the hash {found}, but it says {line.hash}.")
        before = lines.get(number - 1)
        expected = FIRST if number == 1 else before.hash if before else line.previous
        if line.previous != expected:
            what = (
                f"follows on the hash {line.previous}, but the line before has {expected}: lines were dropped, added, "
            )
            yield tampered(_name(number), f"{what}reordered or edited.")
        elif line.number != number:
            yield tampered(_name(number), f"has the number {line.number}: lines were dropped, added or reordered.")


def _signature(number: int, line: Line, key: LedgerKey | None) -> Iterator[Fault]:
    if key is None:
        what = f"was signed with another key, {line.key}."
        yield Fault(kind=Kind.WRONG_KEY, file=_name(number), what=what)
    elif not key.verifies(line.hash, line.signature):
        yield tampered(
            _name(number), f"was not signed with the key that it names: the signature of {line.hash} is wrong."
        )


def _held(head: Head, source: str, lines: Mapping[int, Line], *, count: int) -> Iterator[Fault]:
    """Yield where a ledger does not hold what a head says."""
    if head.count > count:
        what = (
            f"is missing: {source} says that there are {head.count} lines, of which the last has the hash {head.hash}."
        )
        yield tampered(_name(count + 1), what)
    elif head.count and (line := lines.get(head.count)) is not None and line.hash != head.hash:
        yield tampered(_name(head.count), f"has the hash {line.hash}; {source} says {head.hash}.")


def _name(number: int) -> str:
    return f"line {number}"


def _number(name: str) -> int:
    return int(name.removeprefix("line "))
