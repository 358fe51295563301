"""Files of an archive by C-MOVE (DICOM PS3.4 section C.4.2): the archive sends them to a port of this machine."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelMove

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.association import NotOfferedError
from monai_unlearn.pacs.retry import PassingFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset
    from pynetdicom.association import Association

    from monai_unlearn.pacs.association import Peer

_SUCCESS, _UNKNOWN_DESTINATION, _NOT_SENT, _WARNING = 0x0000, 0xA801, 0xA702, 0xB000
# What is sent to somebody who did not ask for it is refused (PS3.4 section B.2.3).
_REFUSED = 0xA700


class Receiver:
    """Listens on a port for files that an archive was asked to send; whatever else is sent there is refused.

    Attributes:
        peer: The archive; files are accepted for the AE title `aet` of it alone.
        port: The port, of all addresses of this machine.

    Args:
        peer: The archive.
        port: The port; 0 for any that is free.

    Raises:
        ArchiveError: The port cannot be listened on.
    """

    def __init__(self, peer: Peer, port: int) -> None:
        self.peer = peer
        self._files: dict[str, list[bytes]] = {}
        self._lock = threading.Lock()
        entity = AE(ae_title=peer.aet)
        entity.require_called_aet = True
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = peer.timeout
        for context in AllStoragePresentationContexts:
            # All of them: files then come as the archive stores them.
            entity.add_supported_context(str(context.abstract_syntax), ALL_TRANSFER_SYNTAXES)
        try:
            self._server = entity.start_server(("", port), block=False, evt_handlers=[(evt.EVT_C_STORE, self._store)])
        except OSError as error:
            raise ArchiveError(
                f"--move: port {port} of this machine cannot be listened on ({error.strerror or 'I/O error'}). Choose "
                f"the port at which the archive knows {peer.aet}, and end what else listens on it."
            ) from None
        self.port = int(self._server.server_address[1])

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()

    @contextmanager
    def expecting(self, instance: str) -> Iterator[list[bytes]]:
        """Take the file of an instance within the block; it is in the list as soon as it has come."""
        with self._lock:
            files = self._files.setdefault(instance, [])
        try:
            yield files
        finally:
            with self._lock:
                self._files.pop(instance, None)

    def _store(self, event: Any) -> int:  # noqa: ANN401 - pynetdicom's
        with self._lock:
            files = self._files.get(str(event.request.AffectedSOPInstanceUID))
        if files is not None and not files:
            files.append(event.encoded_dataset())
            return _SUCCESS
        return _REFUSED


def moved(association: Association, receiver: Receiver, query: Dataset) -> tuple[list[bytes], bool]:
    """Ask for the file of an instance, and return it with whether the archive says that this is all.

    Args:
        association: An association that C-MOVE was asked for on.
        receiver: What the archive sends to.
        query: The instance.

    Raises:
        ArchiveError: The archive does not know where to send it, or does not offer C-MOVE.
        PassingFault: The connection was cut.
    """
    peer = receiver.peer
    with receiver.expecting(str(query.SOPInstanceUID)) as files:
        try:
            answers = association.send_c_move(query, peer.aet, StudyRootQueryRetrieveInformationModelMove)
            codes = [getattr(status, "Status", None) for status, _ in answers]
        except ValueError:  # pynetdicom has no context that was accepted
            raise NotOfferedError(peer, str(StudyRootQueryRetrieveInformationModelMove.name)) from None
        except RuntimeError:
            raise PassingFault("was not sent: the connection was cut") from None
        code = codes[-1] if codes else None
        if files:
            return files, code == _SUCCESS
    if code is None:
        raise PassingFault("was not answered to its end: the connection was cut")
    if code == _UNKNOWN_DESTINATION or code in (_NOT_SENT, _WARNING):
        raise ArchiveError(
            f"{peer.server}: C-MOVE was answered with the status {code:04X}h: the archive "
            + ("does not know where to send images for" if code == _UNKNOWN_DESTINATION else "cannot send to")
            + f" the AE title {peer.aet}. Have it know that {peer.aet} listens on port {receiver.port} of this machine."
        )
    return [], code == _SUCCESS
