"""What a killed run leaves behind for the same command to go on from.

Everything lies in one hidden folder beside the output folder, whose name follows from the output folder's:

    .OUT.checkpoint/fingerprint.json      what the run was asked to do
    .OUT.checkpoint/NAME.000007/…         the seventh state of NAME: files, and digests.json with their SHA-256

A state is written aside and renamed, and the one before it goes only then. It holds tensors and plain values
alone, and is read only after its digests were checked.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from monai_unlearn.errors import ConfigError
from monai_unlearn.locks import locked
from monai_unlearn.release import write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

DIGESTS = "digests.json"
FINGERPRINT = "fingerprint.json"
STATE = "state.pt"
_PARTIAL = ".partial-"


def checkpoint_folder(output_dir: Path) -> Path:
    """Return where the checkpoints of a run lie, by its output folder."""
    return output_dir.with_name(f".{output_dir.name}.checkpoint")


class Checkpoints:
    """The states of one run, by name.

    Args:
        folder: Where they lie; made when there is something to keep.
        fingerprint: What the run was asked to do, as plain values by name. A folder that another run left is
            refused, since going on from it would give what neither command asked for.
    """

    def __init__(self, folder: Path, fingerprint: Mapping[str, Any]) -> None:
        self.folder = folder
        self.fingerprint = json.loads(json.dumps(fingerprint, sort_keys=True, default=str))

    def check(self) -> None:
        """Refuse a folder that another run left, or that is damaged.

        Raises:
            ConfigError: It is; the message says what to delete.
        """
        path = self.folder / FINGERPRINT
        if not path.exists():
            return
        found = self._read_json(path)
        other = sorted(
            name for name in {*found, *self.fingerprint} if found.get(name) != self.fingerprint.get(name, object())
        )
        if other:
            raise ConfigError(
                f"{self.folder} holds the checkpoint of a run with another {', '.join(_named(other, found, self))}. "
                "Delete this folder to start anew, give what that run was given to go on with it, or choose another "
                "--output_dir."
            )

    def keep(self, name: str, write: Callable[[Path], None]) -> Path:
        """Keep a new state under a name, and let go of the one before.

        Args:
            name: Of the state.
            write: Writes its files into the folder it is given.

        Returns:
            Where the state lies.
        """
        self.begin()
        earlier = self._states(name)
        number = int(earlier[-1].suffix[1:]) + 1 if earlier else 1
        aside = self.folder / f"{_PARTIAL}{name}"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        write(aside)
        files = {path.name: _sha256(path) for path in sorted(aside.iterdir())}
        write_json(aside / DIGESTS, {"schema_version": 1, "run": self._digest, "files": files})
        target = self.folder / f"{name}.{number:06}"
        aside.replace(target)
        for path in earlier:
            shutil.rmtree(path)
        return target

    def kept(self, name: str) -> Path | None:
        """Return where the newest state of a name lies, once it was checked, or nothing.

        Raises:
            ConfigError: It is damaged, or another run's; the message says what to delete.
        """
        states = self._states(name)
        if not states:
            return None
        self._verify(states[-1])
        return states[-1]

    def keep_state(self, name: str, state: Mapping[str, Any]) -> Path:
        """Keep tensors and plain values under a name; see `keep`."""
        return self.keep(name, lambda folder: torch.save(state, folder / STATE))

    def kept_state(self, name: str) -> dict[str, Any] | None:
        """Return the newest tensors and plain values of a name, on the CPU; see `kept`."""
        found = self.kept(name)
        if found is None:
            return None
        try:
            state: dict[str, Any] = torch.load(found / STATE, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError):
            raise self._damaged(found / STATE) from None
        return state

    def remove(self) -> None:
        """Let go of everything: the run ended well."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def remove_if_empty(self) -> None:
        """Let go of the folder if nothing is kept in it: it would refuse a command that mends the first one."""
        if not list(self.folder.glob(f"*.{'[0-9]' * 6}")):
            self.remove()

    @property
    def _digest(self) -> str:
        return hashlib.sha256(json.dumps(self.fingerprint, sort_keys=True).encode()).hexdigest()

    def begin(self) -> None:
        """Make the folder, and say in it whose it is."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / FINGERPRINT
        if not path.exists():
            aside = self.folder / f"{_PARTIAL}{FINGERPRINT}"
            write_json(aside, self.fingerprint)
            aside.replace(path)

    def _states(self, name: str) -> list[Path]:
        return sorted(self.folder.glob(f"{name}.{'[0-9]' * 6}"))

    def _verify(self, state: Path) -> None:
        record = self._read_json(state / DIGESTS)
        if record.get("run") != self._digest:
            raise ConfigError(f"{state} is of another run. Delete {self.folder} to start anew.")
        files = {path.name: _sha256(path) for path in state.iterdir() if path.name != DIGESTS}
        for name in sorted({*files, *record.get("files", {})}):
            if files.get(name) != record.get("files", {}).get(name):
                raise self._damaged(state / name)

    def _read_json(self, path: Path) -> dict[str, Any]:
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise self._damaged(path) from None
        if not isinstance(found, dict):
            raise self._damaged(path)
        return found

    def _damaged(self, path: Path) -> ConfigError:
        return ConfigError(
            f"{path} is not what a run wrote there: its SHA-256 digest does not fit, or it is missing or added. "
            f"Delete {self.folder} to start anew."
        )


@contextmanager
def exclusive_lock(folder: Path) -> Iterator[None]:
    """Refuse a second run that would write to the same place while the first one does.

    Args:
        folder: What both would write to; the lock is a hidden file beside it, which ends with the process.

    Raises:
        ConfigError: Another process holds it.
    """
    path = folder.with_name(f"{folder.name}.lock")
    refusal = ConfigError(
        f"another run is writing there now: it holds {path}. Wait for it, or choose another --output_dir."
    )
    with locked(path, refusal=refusal):
        yield


def _named(names: list[str], found: Mapping[str, Any], own: Checkpoints) -> list[str]:
    """Name what differs; of the config, which settings."""
    named = []
    for name in names:
        before, now = found.get(name), own.fingerprint.get(name)
        if isinstance(before, dict) and isinstance(now, dict):
            named += [key for key in sorted({*before, *now}) if before.get(key) != now.get(key)]
        else:
            named.append(name.replace("_", " "))
    return named


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for block in iter(lambda: stream.read(2**20), b""):
            digest.update(block)
    return digest.hexdigest()
