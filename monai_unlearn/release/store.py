"""The store of deployed versions: a folder of releases, a link to the current one, and the ledger.

STORE/versions/NAME-VERSION-<12 hex digits>/bundle, bundle.sig     each release that was ever promoted
STORE/current                                                     a link to the bundle that is deployed
STORE/ledger.jsonl, ledger_head.json                              what happened, and how many lines that is
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filelock import FileLock

from monai_unlearn.errors import InputError
from monai_unlearn.release.ledger import Ledger
from monai_unlearn.release.signature import signature_of
from monai_unlearn.release.sums import sums_of
from monai_unlearn.staging import staged, staged_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CURRENT = "current"
_VERSIONS = "versions"
_BUNDLE = "bundle"


@dataclass(frozen=True)
class Store:
    """A store of deployed versions.

    Attributes:
        folder: Its folder.
    """

    folder: Path

    @property
    def ledger(self) -> Ledger:
        """The ledger of the store."""
        return Ledger(self.folder)

    @property
    def current(self) -> Path:
        """The link to the bundle that is deployed."""
        return self.folder / CURRENT

    @property
    def deployed(self) -> str | None:
        """The place of the bundle that the link leads to; None where nothing is deployed."""
        return self.current.resolve().parent.name if self.current.is_symlink() else None

    def bundle(self, place: str) -> Path:
        """Return the bundle at a place of the store.

        Raises:
            InputError: There is none.
        """
        path = self.folder / _VERSIONS / place / _BUNDLE
        if not path.is_dir():
            raise InputError(f"{path} is missing: the store no longer has that version.")
        return path

    def places(self) -> list[str]:
        """Return the places of all versions, sorted."""
        return sorted(path.parent.name for path in (self.folder / _VERSIONS).glob(f"*/{_BUNDLE}"))

    def keep(self, bundle: Path, *, name: str, version: str, signature: Path | None = None) -> str:
        """Copy a bundle and its signature into the store, whole or not at all, and return its place.

        Args:
            bundle: The bundle.
            name: Its name.
            version: Its version.
            signature: The signature; by default, beside the bundle. Without one, none is copied.

        Raises:
            InputError: There is a link in the bundle, or the store's own copy of it was changed.
        """
        plain = re.sub(r"[^\w.-]+", "-", f"{name}-{version}").strip("-.") or "bundle"
        place = f"{plain}-{files_digest(bundle).removeprefix('sha256:')[:12]}"
        signature = signature or signature_of(bundle)
        target = self.folder / _VERSIONS / place
        if target.exists():
            if files_digest(target / _BUNDLE) != files_digest(bundle):
                raise InputError(
                    f"{target / _BUNDLE} was promoted before and has other files now than {bundle}. Find out who "
                    "changed it; nothing was changed."
                )
            if signature.is_file():
                with staged_file(signature_of(target / _BUNDLE)) as aside:
                    shutil.copyfile(signature, aside)
            return place
        with staged(target) as aside:
            shutil.copytree(bundle, aside / _BUNDLE)
            if signature.is_file():
                shutil.copyfile(signature, signature_of(aside / _BUNDLE))
        return place

    def deploy(self, place: str) -> None:
        """Let `current` lead to a version, in one step.

        Raises:
            InputError: The store has no such version, or `current` is no link.
        """
        target = self.bundle(place).relative_to(self.folder)
        if self.current.exists() and not self.current.is_symlink():
            raise InputError(f"{self.current} is not a link that this store made. Move it away.")
        aside = self.folder / f".{CURRENT}.partial-{os.getpid()}"
        aside.unlink(missing_ok=True)
        aside.symlink_to(target, target_is_directory=True)
        aside.replace(self.current)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one process at a time change what is deployed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".store.lock"):
            yield


def files_digest(bundle: Path) -> str:
    """Return one digest over every file of a bundle and its path.

    Raises:
        InputError: There is a link in the bundle.
    """
    digest = hashlib.sha256()
    # NUL ends a name: no name has it.
    for name, one in sorted({**sums_of(bundle)}.items()):
        digest.update(f"{one} {name}\0".encode())
    return f"sha256:{digest.hexdigest()}"
