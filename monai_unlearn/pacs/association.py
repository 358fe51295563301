"""An association with an archive that speaks DIMSE (DICOM PS3.8), and why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pynetdicom import AE

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.retry import PassingFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pynetdicom.association import Association


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


def associated(peer: Peer, contexts: Sequence[Any], **options: Any) -> Association:  # noqa: ANN401 - pynetdicom's
    """Return an association with an archive.

    Args:
        peer: The archive.
        contexts: The presentation contexts to ask for; the last is the service that is meant.
        options: Further arguments of `AE.associate`.

    Raises:
        ArchiveError: The archive refuses it, or offers none of the services.
        PassingFault: There is no archive, or it does not answer.
    """
    entity = AE(ae_title=peer.aet)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = entity.connection_timeout = peer.timeout
    association = entity.associate(peer.host, peer.port, contexts=list(contexts), ae_title=peer.called, **options)
    if association.is_rejected:
        raise ArchiveError(
            f"{peer.server}: the archive refused the association. Check --called, and have the archive know the AE "
            f"title {peer.aet} of this machine."
        )
    if association.rejected_contexts and not association.accepted_contexts:
        raise NotOfferedError(peer, str(contexts[-1].abstract_syntax.name))
    if not association.is_established:
        raise PassingFault("found no archive, or its connection was cut")
    return association


class NotOfferedError(ArchiveError):
    """An archive does not offer a service.

    Args:
        peer: The archive.
        service: The name of the service.
    """

    def __init__(self, peer: Peer, service: str) -> None:
        instead = "--move PORT brings images by C-MOVE" if service.endswith("GET") else "use DICOMweb"
        super().__init__(
            f"{peer.server}: the archive does not offer {service} to {peer.aet}. Ask who runs it to allow that; or "
            f"{instead}."
        )
