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
        if signature is not None and any(_signs(key, signature, letter.content) for key in self.keys):
            return "key", ""
        return None, self._why_not(letter, is_signed=signature is not None)

    def _why_not(self, letter: Letter, *, is_signed: bool) -> str:
        if not self.owners and not self.keys:
            return "Nobody is trusted: the service was started without --owner and --signed-by."
        whose = (
            "Others than its owner may write to it"
            if letter.owner in self.owners
            else "It belongs to a user who is not named by --owner"
        )
        signed = "its signature is not that of a key of --signed-by" if is_signed else "it is not signed"
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


def _signs(key: Path, signature: bytes, content: bytes) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "signature"
        file.write_bytes(signature)
        try:
            signed = read_signature(file, key)
        except SignatureFault:
            return False
    return dict(signed.digests) == {_ITSELF: hashlib.sha256(content).hexdigest()}
