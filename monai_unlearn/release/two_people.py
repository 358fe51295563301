"""Two people for a release: whoever approves it is none of those who prepared it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.errors import InputError
from monai_unlearn.release.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

    from monai_unlearn.release.store import Store

PREPARING = ("train", "unlearn", "sign")
"""The events of whoever prepares a release."""


def prepared_by(bundle: Path, store: Store) -> list[str]:
    """Return who prepared a bundle, by the lines of the ledger about its weights, the first one first.

    Raises:
        InputError: The folder is no bundle, or a line of the ledger is damaged.
    """
    weights = verify(bundle).weights_digest
    lines = [line.event for line in store.ledger.lines()]
    found = [one.who for one in lines if one.event in PREPARING and weights and one.digests.get("weights") == weights]
    return list(dict.fromkeys(found))


def check_two_people(bundle: Path, store: Store, *, approver: str) -> None:
    """Refuse an approver who prepared the release, and a release that nobody prepared by name.

    Names are compared without case and spaces: the rule reminds honest people; it does not prove who somebody is.

    Args:
        bundle: The bundle.
        store: The store, whose ledger says who prepared it.
        approver: Who approves it.

    Raises:
        InputError: The approver prepared it, or the ledger names nobody who did.
    """
    people = prepared_by(bundle, store)
    if not people:
        raise InputError(
            "the ledger names nobody who prepared this bundle: whoever prepares it signs it here first. Nothing was "
            "changed."
        )
    if _folded(approver) in map(_folded, people):
        raise InputError(
            f"'{approver}' prepared this bundle, by the ledger: somebody else must approve it. Nothing was changed."
        )


def _folded(name: str) -> str:
    return "".join(name.split()).casefold()
