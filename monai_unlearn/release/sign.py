"""Signs a release, once everything that it says of itself holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import InputError
from monai_unlearn.release.contents import SUMS
from monai_unlearn.release.signature import signature_of, write_signature
from monai_unlearn.release.sums import file_digest, write_sums
from monai_unlearn.release.verify import Kind, verify

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class SignedRelease:
    """A release that was signed.

    Attributes:
        name: The name of the bundle.
        version: Its version.
        verdict: The verdict on its card; None where it has no card.
        signature: The file of the signature.
        added: Files that became part of the release: they came after the bundle was written.
        digests: The digests of the weights, of `SHA256SUMS` and of the signature.
    """

    name: str
    version: str
    verdict: str | None
    signature: Path
    added: Sequence[str]
    digests: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return the release as plain values."""
        return {
            "name": self.name,
            "version": self.version,
            "verdict": self.verdict,
            "signature": str(self.signature),
            "added": list(self.added),
            "digests": self.digests,
        }


def sign(bundle: Path, key: Path, *, signature: Path | None = None, password: bytes | None = None) -> SignedRelease:
    """Sign a bundle: all files that it has now, `SHA256SUMS` among them, which is written anew first.

    Args:
        bundle: The folder of the bundle.
        key: The private key.
        signature: The file to write the signature to; by default, beside the bundle.
        password: The password of the key, if it has one.

    Raises:
        InputError: The folder is no bundle, the key cannot be used, the bundle is not what it says of itself, or it
            holds what must not be part of a release.
    """
    target = signature or signature_of(bundle)
    if target.resolve().is_relative_to(bundle.resolve()):
        raise InputError(
            f"{target} lies within the bundle. Give a place outside: the signature covers every file in it."
        )
    if (bundle / ".git").exists():
        raise InputError(f"{bundle} is a git repository, which changes with every command. Sign a copy without .git.")
    report = verify(bundle)
    found = [fault for fault in report.faults if fault.kind is Kind.TAMPERED]
    if wrong := [fault.line for fault in found if not fault.extra]:
        lines = "\n  ".join(wrong)
        raise InputError(f"{bundle} is not what it says of itself; nothing was signed:\n  {lines}")
    before = (bundle / SUMS).read_bytes() if (bundle / SUMS).exists() else None
    write_sums(bundle)
    try:
        write_signature(bundle, key, target=target, password=password)
    except BaseException:
        _restore(bundle / SUMS, before)
        raise
    return SignedRelease(
        name=report.name,
        version=report.version,
        verdict=report.verdict,
        signature=target,
        added=[fault.file for fault in found if fault.extra],
        digests={
            **({"weights": report.weights_digest} if report.weights_digest else {}),
            "sums": f"sha256:{file_digest(bundle / SUMS)}",
            "signature": f"sha256:{file_digest(target)}",
        },
    )


def _restore(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
