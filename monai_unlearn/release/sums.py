"""`SHA256SUMS` of a bundle: the digest of every file, in the format of `sha256sum`. Never loads torch.

A bundle that a revision writes has it. Whoever loads the weights of such a bundle compares every file that it lists;
bundles without it, as others write them, load as before. Training writes weights and metadata into a bundle and so
their lines. The sums detect damage; they prove no author, which is what a signature is for.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.contents import SUMS, all_files
from monai_unlearn.staging import write_text
from monai_unlearn.vocabulary.bundle_files import METADATA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LINE = re.compile(r"(\\?)([0-9a-f]{64}) [ *](.+)")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hex digits.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as stream:
        digest = hashlib.sha256()
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sums_of(root: Path) -> dict[str, str]:
    """Return the digest of every file of a bundle by its path within it; `SHA256SUMS` itself is left out.

    Args:
        root: The bundle.

    Raises:
        ConfigError: There is a link, whose file is not part of the bundle, or a pipe or device.
    """
    names = [path for path in all_files(root) if path != root / SUMS]
    if link := next((path for path in names if path.is_symlink() or not path.is_file()), None):
        raise ConfigError(
            f"{link} is a link or no plain file. A release holds its files itself: put a file in its place."
        )
    return {path.relative_to(root).as_posix(): file_digest(path) for path in names}


def write_sums(root: Path) -> None:
    """Write `SHA256SUMS` of a bundle. Call it last: a file that is written afterwards does not match.

    Raises:
        ConfigError: There is a link in the bundle.
    """
    _write(root, sums_of(root))


def update_sums(root: Path, names: Iterable[str]) -> None:
    """Write the digests of files that were written into a bundle since; without `SHA256SUMS`, nothing is written.

    Args:
        root: The bundle.
        names: The paths of the files within it; a file that is gone loses its line.

    Raises:
        ConfigError: `SHA256SUMS` cannot be read.
    """
    sums = read_sums(root)
    if sums is None:
        return
    found = {name: file_digest(root / name) for name in names if (root / name).is_file()}
    kept = {name: digest for name, digest in sums.items() if name not in set(names)}
    _write(root, {**kept, **found})


def read_sums(root: Path) -> dict[str, str] | None:
    """Return the digests that a bundle's `SHA256SUMS` lists by path; None where there is none.

    Raises:
        ConfigError: The file is damaged, or names a path outside the bundle.
    """
    path = root / SUMS
    if not path.exists():
        return None
    sums: dict[str, str] = {}
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as text ({type(error).__name__}). {_REMEDY}") from None
    for number, line in enumerate(lines[:-1] if lines[-1] == "" else lines, 1):
        found = _LINE.fullmatch(line)
        name = _unescaped(found[3]) if found and found[1] else found[3] if found else ""
        if not found or name in sums or Path(name).is_absolute() or ".." in Path(name).parts:
            raise ConfigError(f"{path}, line {number}: expected a digest and a path within the bundle. {_REMEDY}")
        sums[name] = found[2]
    return sums


def check_sums(root: Path) -> None:
    """Refuse a bundle of which a file is not what `SHA256SUMS` lists. Files that it does not list are not looked at.

    Args:
        root: The bundle; without `SHA256SUMS`, nothing is compared.

    Raises:
        ConfigError: A file is missing or has other content, or `SHA256SUMS` is damaged.
    """
    for name, digest in (read_sums(root) or {}).items():
        found = actual(root / name)
        if found != digest:
            what = "is missing" if found is None else f"has the digest {found}"
            raise ConfigError(f"{root / name} {what}; {SUMS} of this bundle says {digest}. {_REMEDY}")


def check_bundle_of(checkpoint: Path) -> None:
    """Check the bundle that a file of weights belongs to, if it belongs to one with `SHA256SUMS`.

    Args:
        checkpoint: The weights.

    Raises:
        ConfigError: As `check_sums`.
    """
    for folder in checkpoint.absolute().parents:
        if _is_bundle(folder):
            check_sums(folder)
            return


def _is_bundle(folder: Path) -> bool:
    # Without its metadata, a release is damaged, but still recognised by its sums.
    return (folder / METADATA).is_file() or ((folder / SUMS).is_file() and (folder / "configs").is_dir())


def is_release(checkpoint: Path) -> bool:
    """Return whether a file of weights belongs to a bundle with `SHA256SUMS`, into which runs write nothing.

    Args:
        checkpoint: The weights.
    """
    folder = next(filter(_is_bundle, checkpoint.absolute().parents), None)
    return folder is not None and (folder / SUMS).is_file()


def actual(path: Path) -> str | None:
    """Return the digest of a file, or None where there is none that can be read."""
    try:
        # Opening a pipe would wait for ever.
        return file_digest(path) if path.is_file() and not path.is_symlink() else None
    except OSError:
        return None


def _write(root: Path, sums: Mapping[str, str]) -> None:
    write_text(root / SUMS, "".join(f"{_line(name, digest)}\n" for name, digest in sorted(sums.items())))


def _line(name: str, digest: str) -> str:
    """Return a line as `sha256sum` writes it, which marks a name with escapes by a backslash."""
    written = re.sub(r"[\\\n\r]", lambda found: _ESCAPES[found[0]], name)
    return f"{'' if written == name else chr(92)}{digest}  {written}"


def _unescaped(name: str) -> str:
    back = {written: character for character, written in _ESCAPES.items()}
    return re.sub(r"\\[\\nr]", lambda found: back[found[0]], name)


_REMEDY = (
    "Get the bundle as it was released; or, if the change is meant, remove SHA256SUMS: the bundle is then no release "
    "any more."
)
