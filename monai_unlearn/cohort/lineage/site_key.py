"""The key under which a site hashes what its models forgot.

It is the key file of the site's pseudonyms, where one is given. Otherwise the first revision makes a key and keeps it
beside the hashes, in the evidence, which stays with the images.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError
from monai_unlearn.index.pseudonyms import Pseudonyms
from monai_unlearn.staging import staged_file
from monai_unlearn.vocabulary.run_folder import LINEAGE_KEY

if TYPE_CHECKING:
    from monai_unlearn.cohort.lineage.members import LineageMembers

_BYTES = 32


def first_key(keyfile: str | Path | None) -> Pseudonyms:
    """Return the key for the first revision of a bundle: that of the site, or a new one.

    Raises:
        IndexReadError: The file is no key.
    """
    return Pseudonyms.read(Path(keyfile)) if keyfile else Pseudonyms(secrets.token_hex(_BYTES).encode())


def key_of(members: LineageMembers, path: Path, keyfile: str | Path | None) -> Pseudonyms:
    """Return the key of the members of earlier revisions.

    Args:
        members: The members.
        path: Their file; a key that a revision made lies beside it.
        keyfile: The key file of the site, if one is given.

    Raises:
        ConfigError: There is no key, or another one.
        IndexReadError: A file is no key.
    """
    beside = path.with_name(LINEAGE_KEY)
    files = [file for file in (beside if beside.is_file() else None, Path(keyfile) if keyfile else None) if file]
    keys = [Pseudonyms.read(file) for file in files]
    found = next((key for key in keys if key.fingerprint == members.key), None)
    if found is not None:
        return found
    got = f"another key ({', '.join(map(str, files))})" if files else f"none, and there is no {beside}"
    raise ConfigError(
        f"{path}: expected the key that earlier revisions hashed with, got {got}. Without it nobody can tell which "
        "images were forgotten. Give it with --keyfile FILE."
    )


def write_key(key: Pseudonyms, path: Path) -> None:
    """Write a key that only its owner may read."""
    with staged_file(path) as aside:
        aside.touch(mode=0o600)
        aside.write_bytes(key.key + b"\n")
