"""An archive that speaks DIMSE (DICOM PS3.4 annex C): queries at three levels, and images by C-GET or C-MOVE."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pynetdicom import ALL_TRANSFER_SYNTAXES
from pynetdicom.presentation import StoragePresentationContexts, build_context
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelMove,
)

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.association import NotOfferedError, Peer, associated
from monai_unlearn.pacs.c_get import got
from monai_unlearn.pacs.c_move import Receiver, moved
from monai_unlearn.pacs.items import tag_of, text
from monai_unlearn.pacs.paging import CappedError
from monai_unlearn.pacs.retry import PassingFault, patiently
from monai_unlearn.pacs.web import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pynetdicom.association import Association

    from monai_unlearn.pacs.items import Item

_PENDING = frozenset((0xFF00, 0xFF01))
_SUCCESS, _OUT_OF_RESOURCES, _CANCELLED = 0x0000, 0xA700, 0xFE00
_NOT_FOUND = 404


class Dimse:
    """An archive that speaks DIMSE. Each thread has associations of its own.

    Attributes:
        peer: How it is reached.
        requests: How many requests were sent.

    Args:
        peer: How it is reached.
        move: The port of this machine that the archive sends images to, by C-MOVE; null to get them by C-GET.

    Raises:
        ArchiveError: The port cannot be listened on.
    """

    def __init__(self, peer: Peer, *, move: int | None = None) -> None:
        self.peer, self.requests = peer, 0
        self._own, self._all = threading.local(), list[Any]()
        self._receiver = None if move is None else Receiver(peer, move)

    def close(self) -> None:
        """End all associations."""
        for association in self._all:
            with suppress(Exception):
                association.release()
        if self._receiver is not None:
            self._receiver.close()

    def find(self, level: str, keys: Mapping[str, str | None], fields: Sequence[int]) -> Iterator[Item]:
        """Yield what a query finds (C-FIND, PS3.4 section C.4.1), as DICOM JSON.

        Args:
            level: STUDY, SERIES or IMAGE.
            keys: What the results must match, by keyword.
            fields: The tags that are asked for.

        Raises:
            CappedError: The archive ended its answer after some results: there are more.
            ArchiveError: The archive cannot be reached, refuses, or fails.
        """
        query = Dataset()
        query.QueryRetrieveLevel = level
        for tag in fields:
            query.add_new(tag, _vr(tag), [] if _vr(tag) == "SQ" else None)
        for keyword, value in keys.items():
            setattr(query, keyword, value)
        request = f"C-FIND {level}"
        found, is_capped = patiently(lambda: self._find(query), self.peer, request=request)
        yield from found
        if is_capped:
            raise CappedError(
                f"{self.peer.server}: {request} was answered with {len(found)} results and no more: the archive ended "
                "its answer. Ask for less with --from, --to or --modality.",
                found=len(found),
                says_more=True,
            )

    def instance(self, study: str, series: str, instance: str) -> bytes:
        """Return the file of an instance, by C-MOVE where the client has a port for it, else by C-GET.

        Raises:
            ArchiveError: The archive cannot be reached, refuses, or does not send it.
        """
        query = Dataset()
        query.QueryRetrieveLevel, query.StudyInstanceUID = "IMAGE", study
        query.SeriesInstanceUID, query.SOPInstanceUID = series, instance
        request = "C-GET IMAGE" if self._receiver is None else "C-MOVE IMAGE"
        return patiently(lambda: self._retrieved(query), self.peer, request=request)

    def _find(self, query: Dataset) -> tuple[list[Item], bool]:
        self.requests += 1
        found: list[Item] = []
        for status, identifier in self._answers(query):
            code = getattr(status, "Status", None)
            if code is None:
                raise PassingFault("was not answered to its end: the connection was cut")
            if code in _PENDING and identifier is not None:
                found.append(identifier.to_json_dict(bulk_data_threshold=1 << 20, suppress_invalid_tags=True))
            elif code in (_OUT_OF_RESOURCES, _CANCELLED) and found:
                return found, True
            elif code == _OUT_OF_RESOURCES:
                raise PassingFault("was refused: the archive is out of resources")
            elif code != _SUCCESS:
                raise ArchiveError(f"{self.peer.server}: C-FIND was answered with the status {code:04X}h.")
        return found, False

    def _answers(self, query: Dataset) -> Iterator[Any]:
        """Yield what a query is answered with.

        Raises:
            ArchiveError: The archive does not offer the service.
            PassingFault: The association has ended.
        """
        model = StudyRootQueryRetrieveInformationModelFind
        try:
            yield from self._association("find", model).send_c_find(query, model)
        except ValueError:  # pynetdicom has no context that was accepted
            raise NotOfferedError(self.peer, str(model.name)) from None
        except RuntimeError:
            raise PassingFault("was not sent: the connection was cut") from None

    def _association(self, name: str, model: str) -> Association:
        """Return this thread's association for a service; a new one where it has ended."""
        association = getattr(self._own, name, None)
        if association is None or not association.is_established:
            association = associated(self.peer, [build_context(model)])
            setattr(self._own, name, association)
            self._all.append(association)
        return association

    def _retrieved(self, query: Dataset) -> bytes:
        """Return a file; one that the archive stores compressed, and does not decompress, is asked for as it is."""
        service = "C-GET" if self._receiver is None else "C-MOVE"
        received, is_success = self._received(query, StoragePresentationContexts)
        if self._receiver is None and not received and not is_success and (kind := self._class_of(query)) is not None:
            # One context for each: the archive would choose one transfer syntax of a context, and not that of the file.
            received, is_success = self._received(query, [build_context(kind, one) for one in ALL_TRANSFER_SYNTAXES])
        if len(received) == 1:
            return received[0]
        if is_success:
            raise RefusedError(f"{self.peer.server}: {service} found no such instance.", _NOT_FOUND)
        raise PassingFault("was not answered with the instance")

    def _class_of(self, query: Dataset) -> str | None:
        """Return the SOP class of an instance; null if the archive does not tell it."""
        asked = Dataset()
        asked.update(query)
        asked.SOPClassUID = None
        found, _ = self._find(asked)
        return text(found[0], tag_of("SOPClassUID")) if len(found) == 1 else None

    def _received(self, query: Dataset, storage: Sequence[Any]) -> tuple[list[bytes], bool]:
        self.requests += 1
        if self._receiver is None:
            return got(self.peer, query, storage)
        association = self._association("move", StudyRootQueryRetrieveInformationModelMove)
        return moved(association, self._receiver, query)


def _vr(tag: int) -> str:
    return str(dictionary_VR(tag)).partition(" ")[0]
