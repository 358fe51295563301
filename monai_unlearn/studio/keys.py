"""A key file that comes with a form: on disk for the time of one act, for its owner alone."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from monai_unlearn.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monai_unlearn.studio.forms import Form

KEY, PUBLIC_KEY, PASSWORD = "key", "public_key", "password"


@contextmanager
def key_files(form: Form) -> Iterator[dict[str, Path]]:
    """Yield the files of the keys that a form brings, by the names of their fields; they are gone afterwards."""
    # The folder is made with mode 0700; names from the browser are not used.
    with tempfile.TemporaryDirectory(prefix="monai-unlearn-key-") as folder:
        found = {}
        for name in (KEY, PUBLIC_KEY):
            if name in form.files:
                found[name] = Path(folder) / f"{name}.pem"
                found[name].touch(mode=0o600)
                found[name].write_bytes(form.files[name].content)
        yield found


def required_key(files: dict[str, Path]) -> Path:
    """Return the private key.

    Raises:
        InputError: The form brought none.
    """
    if KEY not in files:
        raise InputError("no key file was chosen: choose your private key, in PEM. Nothing was changed.")
    return files[KEY]


def password_of(form: Form) -> bytes | None:
    """Return the password of the key; None where the field is empty."""
    return form[PASSWORD].encode() or None
