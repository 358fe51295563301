"""A key file that comes with a form: there for the time of one act, in memory where it can be, for its owner alone."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from monai_unlearn.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monai_unlearn.studio.forms import Form

KEY, PUBLIC_KEY, PASSWORD = "key", "public_key", "password"
_PREFIX = "monai-unlearn-key-"
# Memory that is a folder, on Linux: a key in it never reaches a disk.
_MEMORY = Path("/dev/shm")  # noqa: S108 - its folders are made as those of `tempfile`


def remove_stale() -> None:
    """Remove the keys of studios that were killed during an act."""
    for place in filter(None, (_memory(), Path(tempfile.gettempdir()))):
        for folder in place.glob(f"{_PREFIX}*"):
            pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
            if pid.isdecimal() and not _is_alive(int(pid)):
                shutil.rmtree(folder, ignore_errors=True)


def _memory() -> Path | None:
    return _MEMORY if os.access(_MEMORY, os.W_OK | os.X_OK) else None


def _is_alive(pid: int) -> bool:
    if os.name != "posix":  # elsewhere, the call would end it
        return True
    try:
        os.kill(pid, 0)
    except OSError as error:
        return not isinstance(error, ProcessLookupError)  # it may be somebody else's
    return True


@contextmanager
def key_files(form: Form, *, given: Mapping[str, Path] | None = None) -> Iterator[dict[str, Path]]:
    """Yield the files of the keys that a form brings, by the names of their fields; they are gone afterwards.

    Args:
        form: The form.
        given: Keys that are there already and stand in for those that it does not bring, as in a demo.
    """
    # The folder is made with mode 0700; names from the browser are not used.
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", dir=_memory()) as folder:
        found = dict(given or {})
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
