"""Checks the ledger of a store against all that says how long it must be, and what is deployed against the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import InputError
from monai_unlearn.release.contents import LEDGER_HEAD
from monai_unlearn.release.ledger import Head, LedgerKey, check
from monai_unlearn.release.ledger.ledger import LEDGER
from monai_unlearn.release.store import Store
from monai_unlearn.release.verify.report import Fault, tampered

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def check_store(
    store: Store, *, keys: Sequence[LedgerKey] = (), given: Sequence[Path] = ()
) -> tuple[list[Fault], list[str]]:
    """Check the ledger of a store.

    Args:
        store: The store.
        keys: The public keys that its lines may be signed with; with none, signatures are not checked.
        given: Further heads, such as one that was kept elsewhere.

    Returns:
        What is wrong, and what else there is to know.

    Raises:
        InputError: A given head cannot be read.
    """
    heads, damaged = _heads(store)
    heads |= {str(path): Head.read(path) for path in given}
    faults, notes = check(store.ledger, keys=keys, heads=heads)
    if store.ledger.texts()[0] and not store.ledger.head_path.exists():
        damaged.append(tampered(LEDGER_HEAD, "is missing: nothing in the store says how many lines there must be."))
    return [*faults, *damaged, *_deployed(store, is_sound=not faults)], notes


def _heads(store: Store) -> tuple[dict[str, Head], list[Fault]]:
    """Return the heads in the store, and those that are damaged.

    A release may come from another site, whose ledger is another one: the hash of the first line tells.
    """
    whole = store.ledger.texts()[0]
    heads: dict[str, Head] = {}
    faults = []
    paths = {f"{LEDGER_HEAD} of the store": store.ledger.head_path}
    paths |= {f"{place}/{LEDGER_HEAD}": store.bundle(place) / LEDGER_HEAD for place in store.places()}
    for name, path in paths.items():
        if not path.is_file():
            continue
        head = _read(path)
        if head is None:
            faults.append(tampered(name, "is no head of a ledger any more: it was damaged or edited."))
        elif not whole or head.first.encode() in whole[0]:
            heads[name] = head
        elif path == store.ledger.head_path:
            faults.append(tampered(name, f"says that the first line has the hash {head.first}, which it has not."))
    return heads, faults


def _read(path: Path) -> Head | None:
    try:
        return Head.read(path)
    except InputError:
        return None


def _deployed(store: Store, *, is_sound: bool) -> list[Fault]:
    """Return whether `current` leads elsewhere than the last promotion or rollback says."""
    if not is_sound:
        return []
    last = [line for line in store.ledger.lines() if line.event.event in ("promote", "rollback")]
    wanted = last[-1].event.place if last else None
    if store.deployed == wanted:
        return []
    what = (
        f"leads to {store.deployed or 'nothing'}; line {last[-1].number} of the ledger says {wanted}." if last else ""
    )
    return [tampered("current", what or f"leads to {store.deployed}, which the ledger knows nothing of.")]


def report_of(folder: Path, *, public_keys: Sequence[Path], heads: Sequence[Path]) -> dict[str, Any]:
    """Check the ledger of a store, and return what was found as plain values.

    Args:
        folder: The folder of the store, or its `ledger.jsonl`.
        public_keys: The keys that lines may be signed with.
        heads: Further heads that the ledger must hold.

    Returns:
        `{"store", "lines", "sound", "exit_code", "faults", "warnings"}`.

    Raises:
        InputError: There is no store, or a key or a head cannot be read.
    """
    folder = folder.parent if folder.name == LEDGER else folder
    store = Store(folder)
    if not folder.is_dir() or not (store.ledger.path.exists() or store.ledger.head_path.exists() or store.places()):
        raise InputError(f"{folder}: expected a store of deployed versions with its {LEDGER}, found none.")
    keys = [LedgerKey.read_public(path) for path in public_keys]
    faults, notes = check_store(store, keys=keys, given=heads)
    return {
        "store": str(folder),
        "lines": len(store.ledger.texts()[0]),
        "sound": not faults,
        "exit_code": min((int(fault.kind) for fault in faults), default=0),
        "faults": [fault.to_dict() for fault in faults],
        "warnings": notes,
    }
