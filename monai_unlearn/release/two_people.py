"""Two people for a release: whoever approves it is none of those who prepared it."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from monai_unlearn.errors import InputError
from monai_unlearn.release.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

    from monai_unlearn.release.ledger import Line
    from monai_unlearn.release.store import Store

PREPARING = ("train", "unlearn", "sign")
"""The events of whoever prepares a release."""


def prepared_by(bundle: Path, store: Store) -> list[str]:
    """Return who prepared a bundle, by the lines of the ledger about its weights, the first one first.

    Raises:
        InputError: The folder is no bundle, or a line of the ledger is damaged.
    """
    return list(dict.fromkeys(line.event.who for line in _preparing(bundle, store)))


def is_recorded(event: str, bundle: Path, store: Store) -> bool:
    """Return whether the ledger has a line of an event in `PREPARING` about the weights of a bundle.

    Raises:
        InputError: The folder is no bundle, or a line of the ledger is damaged.
    """
    return any(line.event.event == event for line in _preparing(bundle, store))


def check_two_people(bundle: Path, store: Store, *, approver: str, key: str) -> None:
    """Refuse an approver who prepared the release, a key that did, and a release that nobody prepared by name.

    Names are compared without case, spaces, marks that cannot be seen, and other ways to write the same letters. Names
    are typed, so this reminds honest people; the key is what somebody holds.

    Args:
        bundle: The bundle.
        store: The store, whose ledger says who prepared it.
        approver: Who approves it.
        key: The fingerprint of the key that the approval is signed with.

    Raises:
        InputError: The approver or the key prepared it, or the ledger names nobody who did.
    """
    lines = _preparing(bundle, store)
    if not lines:
        raise InputError(
            "the ledger names nobody who prepared this bundle: whoever prepares it signs it here first. Nothing was "
            "changed."
        )
    if _folded(approver) in {_folded(line.event.who) for line in lines}:
        raise InputError(
            f"'{approver}' prepared this bundle, by the ledger: somebody else must approve it. Nothing was changed."
        )
    if key in {line.key for line in lines}:
        raise InputError(
            "this bundle was prepared with the same key, by the ledger: somebody else must approve it, with a key of "
            "their own. Nothing was changed."
        )


def _preparing(bundle: Path, store: Store) -> list[Line]:
    weights = verify(bundle).weights_digest
    lines = [line for line in store.ledger.lines() if line.event.event in PREPARING]
    return [line for line in lines if weights and line.event.digests.get("weights") == weights]


def _folded(name: str) -> str:
    seen = (one for one in unicodedata.normalize("NFKC", name) if unicodedata.category(one) != "Cf")
    return "".join("".join(seen).split()).casefold()
