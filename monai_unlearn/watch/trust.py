"""Who may ask for a revision: the owner of a file, or the key that it is signed with."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.signature import SignatureFault, read_signature

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.release.signature import Signed
    from monai_unlearn.watch.mailbox import Letter

# In a signature of a single file, that file has this name.
_ITSELF = "."


@dataclass(frozen=True, kw_only=True)
class Trusted:
    """Who is acted for.

    Attributes:
        owners: Users by their numbers.
        keys: Files of public keys.
    """

    owners: frozenset[int] = frozenset()
    keys: tuple[Path, ...] = ()

    def of(self, letter: Letter, signature: bytes | None) -> tuple[str | None, str]:
        """Return by what a file is trusted, `owner` or `key`, else None; and why it is not.

        Args:
            letter: The file.
            signature: The content of the signature beside it; None where there is none.

        Raises:
            InputError: A public key cannot be used, or the extra `sign` is not installed.
        """
        if letter.owner in self.owners and not letter.others_write:
            return "owner", ""
        if signature is not None and self.signed_digest(letter.name, signature) == _sha256(letter.content):
            return "key", ""
        return None, self._why_not(letter, is_signed=signature is not None)

    def signed_digest(self, name: str, signature: bytes) -> str | None:
        """Return the SHA-256 of the content that somebody who is trusted signed as a file of this name, in hex digits.

        The name is signed too: by its suffix a file is a request or a list, which may name whom to keep.

        Args:
            name: The name of the file.
            signature: The content of the signature beside it.

        Raises:
            InputError: A public key cannot be used, or the extra `sign` is not installed.
        """
        found = (_signed(key, signature) for key in self.keys)
        return next(
            (one.digests[_ITSELF] for one in found if one and (one.name, [*one.digests]) == (name, [_ITSELF])), None
        )

    def _why_not(self, letter: Letter, *, is_signed: bool) -> str:
        if not self.owners and not self.keys:
            return "Nobody is trusted: the service was started without --owner and --signed-by."
        whose = (
            "Others than its owner may write to it, or rename it (in a folder for all without chmod +t)"
            if letter.owner in self.owners
            else "It belongs to a user who is not named by --owner"
        )
        signed = (
            "its signature is not that of a key of --signed-by, or is of a file with another name or content"
            if is_signed
            else "it is not signed"
        )
        return f"{whose}, and {signed}."


def user_number(name: str) -> int:
    """Return the number of a user, who is given by name or by number.

    Raises:
        ConfigError: There is no such user.
    """
    if name.isascii() and name.isdecimal():
        return int(name)
    try:
        import pwd

        return pwd.getpwnam(name).pw_uid
    except (ImportError, KeyError):
        raise ConfigError(f"--owner {name}: expected a user of this system, or the number of one.") from None


def named_users(names: Sequence[str]) -> frozenset[int]:
    """Return the numbers of users.

    Raises:
        ConfigError: There is no such user.
    """
    return frozenset(map(user_number, names))


def _signed(key: Path, signature: bytes) -> Signed | None:
    """Return what a signature covers; None where it was not made with the key."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "signature"
        file.write_bytes(signature)
        try:
            return read_signature(file, key)
        except SignatureFault:
            return None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
