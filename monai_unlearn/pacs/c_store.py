"""Stores files in an archive by C-STORE (DICOM PS3.4 annex B), through pynetdicom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydicom.dataset import Dataset

_SUCCESS = 0x0000
# The first half of statuses that are warnings: stored, with coerced or other elements (PS3.4 section B.2.3).
_WARNING = 0xB000


@dataclass(frozen=True, kw_only=True)
class CStore:
    """Sends by C-STORE.

    Attributes:
        host: The archive's host.
        port: Its port.
        aet: The AE title of this side.
        called: The AE title of the archive.
        timeout: How long an answer may take, in seconds.
    """

    host: str
    port: int
    aet: str = "MONAI_UNLEARN"
    called: str = "ANY-SCP"
    timeout: float = 60.0

    @classmethod
    def of(cls, address: str, *, aet: str, called: str) -> CStore:
        """Return a sender to `HOST:PORT`.

        Raises:
            ArchiveError: The address or an AE title has another form.
        """
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
            raise ArchiveError(f"--dimse: expected HOST:PORT, such as pacs:11112, got '{address}'.")
        for option, title in (("--aet", aet), ("--called", called)):
            if not 0 < len(title) <= 16 or not title.isascii():  # noqa: PLR2004 - PS3.5, value representation AE
                raise ArchiveError(f"{option}: expected an AE title of up to 16 characters.")
        return cls(host=host, port=int(port), aet=aet, called=called)

    @property
    def server(self) -> str:
        """The archive as messages name it."""
        return f"{self.called}@{self.host}:{self.port}"

    def send(self, files: Sequence[bytes], datasets: Sequence[Dataset]) -> list[str]:  # noqa: ARG002 - as other senders
        """Send documents, and return the SOPInstanceUIDs of those that the archive refused.

        Raises:
            ArchiveError: The archive cannot be reached, refuses the association, or ends it.
        """
        association = self._associate(datasets)
        try:
            refused = []
            for one in datasets:
                status = _stored(association, one)
                if "Status" not in status:
                    raise ArchiveError(f"{self.server}: C-STORE: the connection ended. Send again.")
                if status.Status != _SUCCESS and status.Status & 0xF000 != _WARNING:
                    refused.append(str(one.SOPInstanceUID))
            return refused
        finally:
            if association.is_established:
                association.release()

    def _associate(self, datasets: Sequence[Dataset]) -> Any:  # noqa: ANN401 - pynetdicom is imported where it is used
        try:
            from pynetdicom import AE
        except ImportError:
            raise ArchiveError(
                "DIMSE takes pynetdicom, which is not installed. Install it with: pip install 'monai-unlearn[pacs]'"
            ) from None
        entity = AE(ae_title=self.aet)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = entity.connection_timeout = self.timeout
        for kind, syntax in sorted({(one.SOPClassUID, one.file_meta.TransferSyntaxUID) for one in datasets}):
            entity.add_requested_context(kind, syntax)
        association = entity.associate(self.host, self.port, ae_title=self.called)
        if not association.is_established:
            raise ArchiveError(
                f"{self.server}: no association was made. Check host, port and --called, and that the archive knows "
                f"the AE title {self.aet}."
            )
        return association


def _stored(association: Any, dataset: Dataset) -> Any:  # noqa: ANN401 - pynetdicom's
    try:
        return association.send_c_store(dataset)
    except (ValueError, RuntimeError):  # a kind of document that the archive does not take; an ended association
        from pydicom.dataset import Dataset as Status

        answer = Status()
        if association.is_established:
            answer.Status = 0x0122  # SOP class not supported (PS3.7 annex C)
        return answer
