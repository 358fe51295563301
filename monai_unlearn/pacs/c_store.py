"""Stores files in an archive by C-STORE (DICOM PS3.4 annex B), through pynetdicom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset
from pynetdicom.presentation import build_context

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.association import Peer, associated
from monai_unlearn.pacs.retry import patiently

if TYPE_CHECKING:
    from collections.abc import Sequence

_SUCCESS = 0x0000
# The first half of statuses that are warnings: stored, with coerced or other elements (PS3.4 section B.2.3).
_WARNING = 0xB000
# SOP class not supported (PS3.7 annex C)
_NOT_SUPPORTED = 0x0122


@dataclass(frozen=True)
class CStore:
    """Sends by C-STORE.

    Attributes:
        peer: How the archive is reached.
    """

    peer: Peer

    def send(self, files: Sequence[bytes], datasets: Sequence[Dataset]) -> list[str]:  # noqa: ARG002 - as other senders
        """Send documents, and return the SOPInstanceUIDs of those that the archive refused.

        Raises:
            ArchiveError: The archive cannot be reached, refuses the association, or ends it.
        """
        kinds = sorted({(one.SOPClassUID, one.file_meta.TransferSyntaxUID) for one in datasets})
        contexts = [build_context(kind, syntax) for kind, syntax in kinds]
        association = patiently(lambda: associated(self.peer, contexts), self.peer, request="C-STORE")
        try:
            refused = []
            for one in datasets:
                status = _stored(association, one)
                if "Status" not in status:
                    raise ArchiveError(f"{self.peer.server}: C-STORE: the connection ended. Send again.")
                if status.Status != _SUCCESS and status.Status & 0xF000 != _WARNING:
                    refused.append(str(one.SOPInstanceUID))
            return refused
        finally:
            if association.is_established:
                association.release()


def _stored(association: Any, dataset: Dataset) -> Any:  # noqa: ANN401 - pynetdicom's
    try:
        return association.send_c_store(dataset)
    except (ValueError, RuntimeError):  # a kind of document that the archive does not take; an ended association
        answer = Dataset()
        if association.is_established:
            answer.Status = _NOT_SUPPORTED
        return answer
