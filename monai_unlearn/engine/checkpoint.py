"""Checkpoints: what a killed run leaves behind, so that the same command resumes it.

All of them are in one hidden folder beside the output folder:

    .OUT.checkpoint/fingerprint.json      what the run was asked to do
    .OUT.checkpoint/NAME.000007/…         the seventh state of NAME: files, and digests.json with their SHA-256

A state is written under a temporary name and renamed; only then is the previous one deleted. It holds nothing but
tensors and plain values, and is loaded only after its digests were checked.
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
from monai_unlearn.staging import write_json
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

DIGESTS = "digests.json"
FINGERPRINT = "fingerprint.json"
STATE = "state.pt"
_PARTIAL = ".partial-"


def checkpoint_folder(output_dir: Path) -> Path:
    """Return the folder of a run's checkpoints, given its output folder."""
    return RunFolder(output_dir).checkpoint


class Checkpoints:
    """The states of one run, by name.

    Args:
        folder: Where they are saved; created when there is something to save.
        fingerprint: What the run was asked to do, as plain values by name. The folder of a run with another
            fingerprint is refused: resuming it would give what neither command asked for.
    """

    def __init__(self, folder: Path, fingerprint: Mapping[str, Any]) -> None:
        self.folder = folder
        self.fingerprint = json.loads(json.dumps(fingerprint, sort_keys=True, default=str))

    def check(self) -> None:
        """Refuse a folder that is damaged, or that a run with another fingerprint left.

        Raises:
            ConfigError: It is such a folder; the message says what to delete.
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
                "Delete this folder to start again from scratch, give the settings of that run to resume it, or choose "
                "another --output_dir."
            )

    def save(self, name: str, write: Callable[[Path], None]) -> Path:
        """Save a new state under a name, and delete the previous one.

        Args:
            name: The state's name.
            write: Writes the state's files into a folder.

        Returns:
            The folder of the state.
        """
        self.begin()
        earlier = self._states(name)
        number = int(earlier[-1].suffix[1:]) + 1 if earlier else 1
        partial = self.folder / f"{_PARTIAL}{name}"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        write(partial)
        files = {path.name: _sha256(path) for path in sorted(partial.iterdir())}
        write_json(partial / DIGESTS, {"schema_version": 1, "run": self._digest, "files": files})
        target = self.folder / f"{name}.{number:06}"
        partial.replace(target)
        for path in earlier:
            shutil.rmtree(path)
        return target

    def latest(self, name: str) -> Path | None:
        """Return the folder of the latest state of a name, after checking it; None if there is no state.

        Raises:
            ConfigError: It is damaged, or of another run; the message says what to delete.
        """
        states = self._states(name)
        if not states:
            return None
        self._verify(states[-1])
        return states[-1]

    def save_state(self, name: str, state: Mapping[str, Any]) -> Path:
        """Save tensors and plain values under a name; see `save`."""
        return self.save(name, lambda folder: torch.save(state, folder / STATE))

    def load_state(self, name: str) -> dict[str, Any] | None:
        """Return the latest tensors and plain values of a name, on the CPU; see `latest`."""
        found = self.latest(name)
        if found is None:
            return None
        try:
            state: dict[str, Any] = torch.load(found / STATE, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError):
            raise self._damaged(found / STATE) from None
        return state

    def remove(self) -> None:
        """Delete all checkpoints, after a run has ended well."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def remove_if_empty(self) -> None:
        """Delete the folder if it holds no state: its fingerprint would only refuse a corrected command."""
        if not list(self.folder.glob(f"*.{'[0-9]' * 6}")):
            self.remove()

    @property
    def _digest(self) -> str:
        return hashlib.sha256(json.dumps(self.fingerprint, sort_keys=True).encode()).hexdigest()

    def begin(self) -> None:
        """Create the folder with the run's fingerprint in it, if it is not there yet."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / FINGERPRINT
        if not path.exists():
            partial = self.folder / f"{_PARTIAL}{FINGERPRINT}"
            write_json(partial, self.fingerprint)
            partial.replace(path)

    def _states(self, name: str) -> list[Path]:
        return sorted(self.folder.glob(f"{name}.{'[0-9]' * 6}"))

    def _verify(self, state: Path) -> None:
        record = self._read_json(state / DIGESTS)
        if record.get("run") != self._digest:
            raise ConfigError(f"{state} is of another run. Delete {self.folder} to start again from scratch.")
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
            f"{path} is not as a run wrote it: its SHA-256 digest does not match, or the file is missing or was added. "
            f"Delete {self.folder} to start again from scratch."
        )


@contextmanager
def exclusive_lock(folder: Path) -> Iterator[None]:
    """Hold a lock on a folder for a block, so that a second run cannot write to it meanwhile.

    Args:
        folder: The folder; the lock is a file beside it, which is released when the process ends in any way.

    Raises:
        ConfigError: Another process holds it.
    """
    path = folder.with_name(f"{folder.name}.lock")
    refusal = ConfigError(
        f"another run is writing to this output folder: it holds {path}. Wait for it, or choose another --output_dir."
    )
    with locked(path, refusal=refusal):
        yield


def _named(names: list[str], found: Mapping[str, Any], own: Checkpoints) -> list[str]:
    """Return the names of what differs; for the config, the names of the settings."""
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
