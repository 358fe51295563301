"""From the inbox to the spool: every file once, those of strangers bounded in number and size."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monai_unlearn.errors import DataError, InputError
from monai_unlearn.watch.mailbox import Letter, Mailbox, Unreadable, Unsettled, opened
from monai_unlearn.watch.requests import KINDS, OF_SPEC, identifier_of, kind_of, write_request
from monai_unlearn.watch.spool import new_request

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from monai_unlearn.watch.plan import WatchPlan
    from monai_unlearn.watch.spool import Request, Spool

SIGNATURE = ".sig"
MAX_SIGNATURE = 64 * 1024
MAX_STRANGERS = 200
"""How many files of strangers wait for a person at most; further ones are counted, and looked at later."""
MAX_STRANGE_BYTES = 1024**2


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What was found in the inbox.

    Attributes:
        requests: The identifiers of new requests, in the order in which they are worked on.
        unread: How many files were not looked at, because too many wait for a person already, or there are too many.
    """

    requests: Sequence[str]
    unread: int


class Intake:
    """Takes requests from the inbox. It never writes there.

    Args:
        plan: What the service was asked to do.
        spool: Where requests are kept.
    """

    def __init__(self, plan: WatchPlan, spool: Spool) -> None:
        self.plan, self.spool = plan, spool
        self._seen: dict[str, tuple[object, str]] = {}
        self._unsigned: dict[str, object] = {}
        self._taken: list[str] = []
        self._unread = self._looked = self._strangers = 0

    def take(self) -> Taken:
        """Take what is new.

        Raises:
            InputError: There is no inbox, or a public key cannot be used.
        """
        self._taken, self._unread, self._looked = [], 0, 0
        self._strangers = sum(one.trusted is None for one in self.spool.all())
        with opened(self.plan.inbox, settle=self.plan.settle) as box:
            self._forget_names(box)
            for name in self._names(box):
                self._look(box, name)
            self._unread += not box.is_whole
        return Taken(requests=self._taken, unread=self._unread)

    def _forget_names(self, box: Mailbox) -> None:
        """Drop what is known of files that are gone: names come and go as long as the service runs."""
        self._seen = {name: found for name, found in self._seen.items() if name in box.listed}
        self._unsigned = {name: mark for name, mark in self._unsigned.items() if name in box.listed}

    def _names(self, box: Mailbox) -> list[str]:
        """Return the names to look at: no signatures, and no lists of specs."""
        names = box.names(owners=self.plan.trusted.owners)
        return [name for name in names if not name.endswith((SIGNATURE, OF_SPEC))]

    def _look(self, box: Mailbox, name: str) -> None:
        """Take a file, unless it is known already."""
        mark = (box.mark(name), box.mark(name + SIGNATURE))
        if self._seen.get(name, (None, ""))[0] == mark and self.spool.has(self._seen[name][1]):
            return
        is_strange = box.listed[name].st_uid not in self.plan.trusted.owners and not self._is_signed(box, name, mark)
        if is_strange and max(self._strangers, self._looked) >= MAX_STRANGERS:
            self._unread += 1
            return
        self._looked += is_strange
        try:
            request, letter = self._read(box, name)
        except Unsettled:
            return
        self._seen[name] = (mark, request.id)
        if self._is_new(request):
            self._strangers += request.trusted is None
            self._taken.append(request.id)
            self._keep(box, letter, request)

    def _is_signed(self, box: Mailbox, name: str, mark: object) -> bool:
        """Return whether somebody who is trusted signed a file of this name: then no strangers hold it up.

        Its content is not read yet, and no signature that does not hold is read twice: both cost time, which others
        could take away from the service.
        """
        if self._unsigned.get(name) == mark:
            return False
        try:
            signature = self._signature(box, name)
        except Unsettled:
            return False
        if signature is not None and self.plan.trusted.signed_digest(name, signature) is not None:
            return True
        self._unsigned[name] = mark
        return False

    def _signature(self, box: Mailbox, name: str) -> bytes | None:
        """Return the signature beside a file, if there is one that can be read and a key to check it with."""
        if not self.plan.trusted.keys or name + SIGNATURE not in box.listed:
            return None
        try:
            return box.read(name + SIGNATURE, max_bytes=MAX_SIGNATURE).content
        except Unreadable:
            return None

    def _read(self, box: Mailbox, name: str) -> tuple[Request, Letter | None]:
        kind = kind_of(name)
        try:
            if kind is not None:
                letter = box.read(name)
                trusted, why = self._trusted(box, letter)
                digest = f"sha256:{hashlib.sha256(letter.content).hexdigest()}"
                identifier = identifier_of(kind, letter.content)
                request = new_request(identifier, kind=kind, file=name, digest=digest, trusted=trusted)
                return replace(request, reasons=[why] if why else []), letter
            why = f"It was not read: it is none of {', '.join(KINDS)}."
        except Unreadable as error:
            why = f"It was not read: {error}."
        identifier = hashlib.sha256(f"refused\0{name}\0{why}".encode(errors="surrogateescape")).hexdigest()[:16]
        request = new_request(identifier, kind=None, file=ascii(name)[1:-1], digest=None, trusted=None)
        return replace(request, reasons=[why]), None

    def _is_new(self, request: Request) -> bool:
        """Return whether a request is to be taken: it is not known, or nobody trusted it before."""
        if not self.spool.has(request.id):
            return True
        known = self.spool.read(request.id)
        if request.trusted is None or known.trusted is not None:
            return False
        self.spool.drop(request.id)
        return True

    def _keep(self, box: Mailbox, letter: Letter | None, request: Request) -> None:
        def beside(name: str) -> bytes:
            return self._beside(box, name, trusted=request.trusted is not None)

        def write(folder: Path) -> list[str]:
            if letter is None:
                return []
            if request.trusted is None and len(letter.content) > MAX_STRANGE_BYTES:
                return [f"It is larger than {MAX_STRANGE_BYTES // 1024**2} MiB, and was not kept."]
            try:
                write_request(folder, letter, name=request.id, reading=self.plan.reading, beside=beside)
            except InputError as error:
                return [f"It cannot be read as what it is: {error}"]
            return []

        self.spool.take(request, write)

    def _beside(self, box: Mailbox, name: str, *, trusted: bool) -> bytes:
        try:
            letter = box.read(name)
        except Unreadable as error:
            raise DataError(f"a list of the spec was not read: {error}.") from None
        except Unsettled:
            raise DataError("a list of the spec is not in the inbox. Drop the list first, then the spec.") from None
        if trusted and self._trusted(box, letter)[0] is None:
            raise DataError("a list of the spec is of somebody who is not trusted.")
        return letter.content

    def _trusted(self, box: Mailbox, letter: Letter) -> tuple[str | None, str]:
        try:
            signature = self._signature(box, letter.name)
        except Unsettled:
            signature = None
        return self.plan.trusted.of(letter, signature)
