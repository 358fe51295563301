"""What became of each request, on disk before it goes on: a service that is killed neither repeats nor loses a run.

OUT/requests/ID/state.json        what the request is, and how far it came
OUT/requests/ID/cohort_spec.yaml  its spec, with its lists
OUT/requests/ID/run, log.txt      its run
OUT/left/ID.json                  why a request is left for a person, with its preview
"""

from __future__ import annotations

import json
import secrets
import shutil
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from monai_unlearn.errors import ConfigError, check_choice
from monai_unlearn.staging import remove_unfinished, staged, write_json
from monai_unlearn.watch.requests import SPEC

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

SCHEMA_VERSION = 1
TAKEN: Final = "taken"
RUNNING: Final = "running"
DONE: Final = "done"
LEFT: Final = "left"
_STATE = "state.json"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request, and how far it came.

    Attributes:
        id: Its identifier, a digest of what it says.
        digest: The SHA-256 of the file, as `sha256:…`; null where no file was read.
        kind: What it is; null where nothing was read.
        file: The name of the file, which may name a patient.
        trusted: By what it is trusted, `owner` or `key`; null where it is not.
        visit: Tells a request from the same one that a person put back.
        state: `taken`, `running`, `done` (a revision was accepted) or `left` (for a person).
        attempts: How often it was begun: what ends the service again and again is left for a person.
        reasons: Why it is left.
        with_earlier: The requests that its run forgets as well.
        protocol: The digest of the protocol that its run follows; null before.
        bundle: The folder of the bundle that its run revises; null before.
        verdict: The verdict of its run; null where there was none.
    """

    id: str
    digest: str | None
    kind: str | None
    file: str
    trusted: str | None
    visit: str
    state: Literal["taken", "running", "done", "left"] = "taken"
    attempts: int = 0
    reasons: Sequence[str] = ()
    with_earlier: Sequence[str] = ()
    protocol: str | None = None
    bundle: str | None = None
    verdict: str | None = None

    def shown(self) -> dict[str, Any]:
        """Return it without the name of its file."""
        document = {key: value for key, value in asdict(self).items() if key not in {"file", "attempts", "visit"}}
        return {**document, "reasons": list(self.reasons), "with_earlier": list(self.with_earlier)}

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done."""
        return self.state in {TAKEN, RUNNING}


@dataclass(frozen=True)
class Spool:
    """The folder of all requests.

    Attributes:
        out: The folder that the service writes to.
    """

    out: Path

    def folder(self, name: str) -> Path:
        """Return the folder of a request."""
        return self.out / "requests" / name

    def left(self, name: str) -> Path:
        """Return the file that says why a request is left for a person."""
        return self.out / "left" / f"{name}.json"

    def has(self, name: str) -> bool:
        """Return whether a request is known."""
        return (self.folder(name) / _STATE).is_file()

    def all(self) -> list[Request]:
        """Return every request, by identifier.

        Raises:
            ConfigError: A state cannot be read.
        """
        found = sorted((self.out / "requests").glob(f"[0-9a-f]*/{_STATE}"))
        return [_read(path) for path in found]

    def take(self, request: Request, write: Callable[[Path], list[str]]) -> Request:
        """Keep a new request, whole or not at all.

        Args:
            request: The request.
            write: Writes its spec into a folder; returns why it cannot be used, if so.
        """
        request = replace(request, visit=secrets.token_hex(8))
        target = self.folder(request.id)
        remove_unfinished(target)
        if not self.has(request.id):  # what `drop` left when it was killed
            shutil.rmtree(target, ignore_errors=True)
        with staged(target) as folder:
            request = replace(request, reasons=[*request.reasons, *write(folder)])
            write_json(folder / _STATE, _document(request))
        return request

    def drop(self, name: str) -> None:
        """Forget that a request was left, so that it can be taken again."""
        self.left(name).unlink(missing_ok=True)
        # Its state last: without it, nobody knows the request.
        (self.folder(name) / _STATE).unlink(missing_ok=True)
        shutil.rmtree(self.folder(name), ignore_errors=True)

    def read(self, name: str) -> Request:
        """Return a request.

        Raises:
            ConfigError: Its state cannot be read.
        """
        return _read(self.folder(name) / _STATE)

    def keep(self, request: Request) -> Request:
        """Write how far a request came, and return it."""
        write_json(self.folder(request.id) / _STATE, _document(request))
        return request

    def spec(self, request: Request) -> Path:
        """Return the file of the request's own spec."""
        return self.folder(request.id) / SPEC


def new_request(name: str, *, kind: str | None, file: str, digest: str | None, trusted: str | None) -> Request:
    """Return a request that was not taken yet."""
    return Request(id=name, digest=digest, kind=kind, file=file, trusted=trusted, visit="")


def _document(request: Request) -> dict[str, Any]:
    return {"schema_version": SCHEMA_VERSION, **asdict(request)}


def _read(path: Path) -> Request:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        check_choice(document["state"], (TAKEN, RUNNING, DONE, LEFT), name="state")
        check_choice(str(document.pop("schema_version")), (str(SCHEMA_VERSION),), name="schema_version")
        return Request(**document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ConfigError) as error:
        raise ConfigError(
            f"{path}: expected the state of a request as this service wrote it ({type(error).__name__}). Restore it; "
            "without it nobody knows what was forgotten."
        ) from None
