"""Compares the files of a bundle with the digests of its signature, or of its `SHA256SUMS`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.release.contents import all_files
from monai_unlearn.release.sums import actual
from monai_unlearn.release.verify.report import tampered

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from monai_unlearn.release.verify.report import Fault


def compare_files(
    root: Path, digests: Mapping[str, str], *, source: str, beside: Collection[str] = ()
) -> Iterator[Fault]:
    """Yield each file that is missing, has other content, or is not part of the release.

    Args:
        root: The bundle.
        digests: The SHA-256 of every file in hex digits, by its path within the bundle.
        source: What says so, for the message.
        beside: Files that `digests` need not list.
    """
    present = {path.relative_to(root).as_posix(): path for path in all_files(root)}
    for name, digest in sorted(digests.items()):
        path = present.get(name)
        if path is None:
            yield tampered(name, f"is missing; {source} has it with sha256 {digest}.")
        elif path.is_symlink():
            yield tampered(name, f"is a link; {source} has a file with sha256 {digest}.")
        elif (found := actual(path)) != digest:
            state = f"has sha256 {found}" if found else "cannot be read"
            yield tampered(name, f"{state}; {source} says {digest}.")
    for name in sorted(set(present) - set(digests) - set(beside)):
        found = "a link" if present[name].is_symlink() else f"sha256 {actual(present[name])}"
        yield tampered(name, f"is not part of the release ({found}); {source} does not list it.", extra=True)
