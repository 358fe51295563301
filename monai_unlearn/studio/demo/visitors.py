"""The visitors of a public demo: each has a ledger, keys, specs and revisions of their own, which are deleted again."""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monai_unlearn.errors import InputError, UnlearnError
from monai_unlearn.studio.demo.folder import DemoFolder
from monai_unlearn.studio.demo.prepare import begin_step
from monai_unlearn.studio.demo.start import demo_settings
from monai_unlearn.studio.revisions import ALIVE, Revisions
from monai_unlearn.studio.session import Session
from monai_unlearn.studio.studio import Studio

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from monai_unlearn.studio.settings import Settings

FOLDER = "visitors"
MOST_VISITORS, SECONDS_AWAY = 12, 30 * 60
_MOST_SESSIONS = 1_000


class FullError(UnlearnError):
    """Too many people are here already."""


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody who looks at the demo.

    Attributes:
        studio: What they see, with all that they type and do.
        folder: Where it lies.
    """

    studio: Studio
    folder: DemoFolder

    def is_busy(self) -> bool:
        """Return whether a revision of theirs runs."""
        return Revisions(self.studio.workspace.runs).is_busy()

    def delete(self) -> None:
        """Stop what runs, and delete all that they left."""
        revisions = Revisions(self.studio.workspace.runs)
        for name in revisions.names():
            with suppress(InputError):
                if revisions.state(name) in ALIVE:
                    revisions.cancel(name)
        shutil.rmtree(self.folder.root, ignore_errors=True)


@dataclass(frozen=True)
class Visitors:
    """Those who are here.

    Args:
        settings: The settings of the demo.
        now: Tells the time, in seconds.
    """

    settings: Settings
    now: Callable[[], float] = time.monotonic
    _sessions: OrderedDict[str, Session] = field(default_factory=OrderedDict, repr=False)
    _here: dict[str, Visitor] = field(default_factory=dict, repr=False)
    _seen: dict[str, float] = field(default_factory=dict, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self) -> None:
        # What visitors of an earlier start have left is nobody's any more.
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _folder(self) -> Path:
        if self.settings.demo is None:
            raise AssertionError
        return self.settings.demo.root / FOLDER

    def invite(self) -> Session:
        """Return the secrets of somebody new. Nothing is made for them until they come back with their cookie."""
        with self._lock:
            session = Session()
            self._sessions[session.cookie] = session
            while len(self._sessions) > _MOST_SESSIONS:
                self._sessions.popitem(last=False)
        return session

    def knows(self, cookie: str) -> bool:
        """Return whether somebody was invited, and is not forgotten."""
        return cookie in self._sessions

    def visitor(self, cookie: str) -> Visitor:
        """Return somebody who was invited; their folder is made when they are asked for first.

        Raises:
            FullError: Too many are here.
        """
        with self._lock:
            self._seen[cookie] = self.now()
            if cookie not in self._here:
                self._let_go()
                if len(self._here) >= MOST_VISITORS:
                    del self._seen[cookie]
                    raise FullError("Many people are trying the demo at the moment. Come back in half an hour.")
                self._here[cookie] = self._welcome(self._sessions[cookie])
            return self._here[cookie]

    def is_another_busy(self, cookie: str) -> bool:
        """Return whether a revision of somebody else runs: the machine is small."""
        with self._lock:
            return any(one.is_busy() for key, one in self._here.items() if key != cookie)

    def _let_go(self) -> None:
        """Delete what those have left who have been away for long."""
        for cookie in [one for one, seen in self._seen.items() if self.now() - seen > SECONDS_AWAY]:
            del self._seen[cookie]
            self._sessions.pop(cookie, None)
            if visitor := self._here.pop(cookie, None):
                visitor.delete()

    def delete(self) -> None:
        """Delete what all have left, at the end."""
        with self._lock:
            for visitor in self._here.values():
                visitor.delete()
            self._here.clear()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _welcome(self, session: Session) -> Visitor:
        if self.settings.demo is None:
            raise AssertionError
        # Not the cookie: paths are printed in logs.
        folder = DemoFolder(self._folder / secrets.token_hex(8), shared=self.settings.demo.root)
        begin_step(folder).do()
        return Visitor(studio=Studio(demo_settings(self.settings, folder), session), folder=folder)
