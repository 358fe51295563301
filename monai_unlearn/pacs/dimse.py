"""An archive that speaks DIMSE (DICOM PS3.4 annex C): queries at three levels, and images by C-GET."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, build_role, evt
from pynetdicom.presentation import StoragePresentationContexts, build_context
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
)

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.items import tag_of, text
from monai_unlearn.pacs.paging import CappedError
from monai_unlearn.pacs.retry import PassingFault, patiently
from monai_unlearn.pacs.web import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pydicom.uid import UID
    from pynetdicom.association import Association

    from monai_unlearn.pacs.items import Item

_PENDING = frozenset((0xFF00, 0xFF01))
_SUCCESS, _OUT_OF_RESOURCES, _CANCELLED = 0x0000, 0xA700, 0xFE00
# A requestor may propose 128 presentation contexts (PS3.8 section 9.3.2.2), one of them for C-GET itself.
_MOST_CONTEXTS = 127
_NOT_FOUND = 404


@dataclass(frozen=True, kw_only=True)
class Peer:
    """How an archive is reached by DIMSE.

    Attributes:
        host: Its host.
        port: Its port.
        aet: The AE title of this client, which the archive must know.
        called: The AE title of the archive.
        timeout: How long an answer may take, in seconds.
        attempts: How often a request is sent that fails for a reason which may pass.
        wait: The first wait between attempts, in seconds.
    """

    host: str
    port: int
    aet: str
    called: str
    timeout: float = 60.0
    attempts: int = 6
    wait: float = 0.5

    @classmethod
    def of(cls, address: str, *, aet: str | None, called: str | None) -> Peer:
        """Take the options of a command line.

        Raises:
            ArchiveError: The address is not HOST:PORT, or an AE title is missing or too long.
        """
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:  # noqa: PLR2004 - the ports
            raise ArchiveError("--dimse: expected HOST:PORT, such as pacs:104.")
        for option, title in (("--aet", aet), ("--called", called)):
            if not title or len(title) > 16 or not title.isascii():  # noqa: PLR2004 - PS3.5, AE
                raise ArchiveError(f"--dimse takes {option}: an AE title of at most 16 characters.")
        return cls(host=host, port=int(port), aet=str(aet), called=str(called))

    @property
    def server(self) -> str:
        """The name of the server for messages."""
        return f"{self.called}@{self.host}:{self.port}"


class Dimse:
    """An archive that speaks DIMSE. Each thread has an association of its own.

    Attributes:
        peer: How it is reached.
        requests: How many requests were sent.

    Args:
        peer: How it is reached.
    """

    def __init__(self, peer: Peer) -> None:
        self.peer, self.requests = peer, 0
        self._own, self._all = threading.local(), list[Any]()

    def close(self) -> None:
        """End all associations."""
        for association in self._all:
            with suppress(Exception):
                association.release()

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
        """Return the file of an instance (C-GET, PS3.4 section C.4.3).

        Raises:
            ArchiveError: The archive cannot be reached, refuses, or does not send it.
        """
        return patiently(lambda: self._get(study, series, instance), self.peer, request="C-GET IMAGE")

    def _find(self, query: Dataset) -> tuple[list[Item], bool]:
        self.requests += 1
        association = self._association()
        found: list[Item] = []
        for status, identifier in self._sent(
            association.send_c_find, query, StudyRootQueryRetrieveInformationModelFind
        ):
            code = getattr(status, "Status", None)
            if code is None:
                self._own.association = None
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

    def _sent(self, send: Callable[..., Iterator[Any]], query: Dataset, model: UID) -> Iterator[Any]:
        """Yield what a request is answered with.

        Raises:
            ArchiveError: The archive does not offer the service.
            PassingFault: The association has ended.
        """
        try:
            yield from send(query, model)
        except ValueError:  # pynetdicom has no context that was accepted
            raise self._not_offered(str(model.name)) from None
        except RuntimeError:
            self._own.association = None
            raise PassingFault("was not sent: the connection was cut") from None

    def _not_offered(self, service: str) -> ArchiveError:
        return ArchiveError(
            f"{self.peer.server}: the archive does not offer {service} to {self.peer.aet}. Ask who runs it to allow "
            "that, or use DICOMweb."
        )

    def _association(self) -> Association:
        association = getattr(self._own, "association", None)
        if association is None or not association.is_established:
            association = self._own.association = self._associated(
                [build_context(StudyRootQueryRetrieveInformationModelFind)]
            )
            self._all.append(association)
        return association

    def _associated(self, contexts: list[Any], **options: Any) -> Association:  # noqa: ANN401 - pynetdicom's
        peer = self.peer
        entity = AE(ae_title=peer.aet)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = peer.timeout
        association = entity.associate(peer.host, peer.port, contexts=contexts, ae_title=peer.called, **options)
        if association.is_rejected:
            raise ArchiveError(
                f"{peer.server}: the archive refused the association. Check --called, and have the archive know the AE "
                f"title {peer.aet} of this machine."
            )
        if association.rejected_contexts and not association.accepted_contexts:
            raise self._not_offered(str(contexts[-1].abstract_syntax.name))
        if not association.is_established:
            raise PassingFault("found no archive, or its connection was cut")
        return association

    def _get(self, study: str, series: str, instance: str) -> bytes:
        """Return a file; one that the archive stores compressed, and does not decompress, is asked for as it is."""
        query = Dataset()
        query.QueryRetrieveLevel, query.StudyInstanceUID = "IMAGE", study
        query.SeriesInstanceUID, query.SOPInstanceUID = series, instance
        received, is_success = self._received(query, StoragePresentationContexts[:_MOST_CONTEXTS])
        if not received and not is_success and (kind := self._class_of(query)) is not None:
            # One context for each: the archive would choose one transfer syntax of a context, and not that of the file.
            contexts = [build_context(kind, syntax) for syntax in ALL_TRANSFER_SYNTAXES]
            received, is_success = self._received(query, contexts[:_MOST_CONTEXTS])
        if len(received) == 1:
            return received[0]
        if is_success:
            raise RefusedError(f"{self.peer.server}: C-GET found no such instance.", _NOT_FOUND)
        raise PassingFault("was not answered with the instance")

    def _class_of(self, query: Dataset) -> str | None:
        """Return the SOP class of an instance; null if the archive does not tell it."""
        asked = Dataset()
        asked.update(query)
        asked.SOPClassUID = None
        found, _ = self._find(asked)
        return text(found[0], tag_of("SOPClassUID")) if len(found) == 1 else None

    def _received(self, query: Dataset, storage: Sequence[Any]) -> tuple[list[bytes], bool]:
        """Ask for files, and return those that came with whether the archive says that these are all."""
        self.requests += 1
        received: list[bytes] = []

        def store(event: Any) -> int:  # noqa: ANN401 - pynetdicom's
            stream, dataset = BytesIO(), event.dataset
            dataset.file_meta = event.file_meta
            dcmwrite(stream, dataset, enforce_file_format=True)
            received.append(stream.getvalue())
            return _SUCCESS

        association = self._associated(
            [*storage, build_context(StudyRootQueryRetrieveInformationModelGet)],
            ext_neg=[build_role(kind, scp_role=True) for kind in sorted({one.abstract_syntax for one in storage})],
            evt_handlers=[(evt.EVT_C_STORE, store)],
        )
        answers = self._sent(association.send_c_get, query, StudyRootQueryRetrieveInformationModelGet)
        try:
            codes = [getattr(status, "Status", None) for status, _ in answers]
        finally:
            association.release()
        return received, bool(codes) and codes[-1] == _SUCCESS


def _vr(tag: int) -> str:
    from pydicom.datadict import dictionary_VR

    return str(dictionary_VR(tag)).partition(" ")[0]
