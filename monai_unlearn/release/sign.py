"""Signs a release, once everything that it says of itself holds."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import InputError
from monai_unlearn.release.contents import LEDGER_HEAD, SUMS
from monai_unlearn.release.signature import signature_of, write_signature
from monai_unlearn.release.sums import file_digest, write_sums
from monai_unlearn.release.verify import Kind, verify
from monai_unlearn.vocabulary.run_folder import LINEAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from monai_unlearn.release.promote import Act


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


def sign(
    bundle: Path, key: Path, *, signature: Path | None = None, password: bytes | None = None, act: Act | None = None
) -> SignedRelease:
    """Sign a bundle: all files that it has now, `SHA256SUMS` among them, which is written anew first.

    Args:
        bundle: The folder of the bundle.
        key: The private key.
        signature: The file to write the signature to; by default, beside the bundle.
        password: The password of the key, if it has one.
        act: Who signs, for the ledger of a store. The head of the ledger becomes part of the release: it shows later
            whether the ledger still has all lines that it has now.

    Raises:
        InputError: The folder is no bundle, the key cannot be used, the bundle is not what it says of itself, or it
            holds what must not be part of a release.
    """
    target = signature or signature_of(bundle)
    _check_place(bundle, target)
    report = verify(bundle)
    if (bundle / LINEAGE).is_file() and not (bundle / SUMS).is_file():
        raise InputError(
            f"{bundle} was revised, but its {SUMS} is gone, so that nothing says which files the run wrote. Take the "
            "bundle from the run's output again."
        )
    found = [fault for fault in report.faults if fault.kind is Kind.TAMPERED]
    if wrong := [fault.line for fault in found if not fault.extra]:
        lines = "\n  ".join(wrong)
        raise InputError(f"{bundle} is not what it says of itself; nothing was signed:\n  {lines}")
    with _restored_on_failure(bundle / SUMS, bundle / LEDGER_HEAD, target):
        if act is not None:
            act.store.ledger.head().write(bundle / LEDGER_HEAD)
        write_sums(bundle)
        write_signature(bundle, key, target=target, password=password)
        made = {name: f"sha256:{file_digest(path)}" for name, path in (("sums", bundle / SUMS), ("signature", target))}
        if act is not None:
            act.append("sign", report, digests=made)
    return SignedRelease(
        name=report.name,
        version=report.version,
        verdict=report.verdict,
        signature=target,
        added=[fault.file for fault in found if fault.extra],
        digests={**({"weights": report.weights_digest} if report.weights_digest else {}), **made},
    )


def sign_file(path: Path, key: Path, *, signature: Path | None = None, password: bytes | None = None) -> Path:
    """Sign a single file, such as a list of withdrawals for `monai-unlearn watch`; return the file of the signature.

    Args:
        path: The file.
        key: The private key.
        signature: The file to write the signature to; by default, beside the file.
        password: The password of the key, if it has one.

    Raises:
        InputError: The key cannot be used.
    """
    target = signature or signature_of(path)
    write_signature(path, key, target=target, password=password)
    return target


def _check_place(bundle: Path, target: Path) -> None:
    if target.resolve().is_relative_to(bundle.resolve()):
        raise InputError(
            f"{target} lies within the bundle. Give a place outside: the signature covers every file in it."
        )
    if (bundle / ".git").exists():
        raise InputError(f"{bundle} is a git repository, which changes with every command. Sign a copy without .git.")


@contextmanager
def _restored_on_failure(*paths: Path) -> Iterator[None]:
    """Give files their content back, or remove them, where the block fails."""
    before = {path: path.read_bytes() if path.is_file() else None for path in paths}
    try:
        yield
    except BaseException:
        for path, content in before.items():
            if content is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(content)
        raise
