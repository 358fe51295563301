"""The archive that images are fetched from: that of the pull, or another."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from monai_unlearn.errors import ArchiveError, IndexReadError
from monai_unlearn.index.store.store import read_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monai_unlearn.index.store.store import Index

DIMSE = "dimse://"


class ImageArchive(Protocol):
    """An archive that has files. Its method raises `ArchiveError` where it fails or refuses."""

    def instance(self, study: str, series: str, instance: str) -> bytes:
        """Return the file of an instance."""


@dataclass(frozen=True, kw_only=True)
class ImageSource:
    """Where images come from, and how.

    Attributes:
        address: The root of DICOMweb services, or `dimse://CALLED@HOST:PORT`.
        aet: The AE title of this machine, for DIMSE.
        move: The port of this machine that the archive sends to, for C-MOVE; null for C-GET.
        connections: How many files are asked for at once.
    """

    address: str
    aet: str | None = None
    move: int | None = None
    connections: int = 4

    def __post_init__(self) -> None:
        """Refuse options of DIMSE for an archive that is reached by DICOMweb."""
        if self.move is not None and not self.address.startswith(DIMSE):
            raise ArchiveError("--move: C-MOVE takes an archive that speaks DIMSE: --dimse HOST:PORT --called AE.")

    @classmethod
    def of(
        cls,
        index: Index,
        *,
        dicomweb: str | None = None,
        dimse: str | None = None,
        called: str | None = None,
        aet: str | None = None,
        move: int | None = None,
        connections: int = 4,
    ) -> ImageSource:
        """Take the options of a command line; without an address, the archive that the index was pulled from.

        Raises:
            ArchiveError: Two archives are named, or options of one that are not for it.
            IndexReadError: The index has pseudonyms; or no archive is named, and it was built of files.
        """
        _refuse_pseudonyms(index)
        if dicomweb is not None and dimse is not None:
            raise ArchiveError("Name the archive once: --dicomweb URL, or --dimse HOST:PORT with --aet and --called.")
        if dimse is not None and not called:
            raise ArchiveError("--dimse takes --called: an AE title of at most 16 characters.")
        address = f"{DIMSE}{called}@{dimse}" if dimse is not None else dicomweb or pulled_from(index)
        return cls(address=address, aet=aet, move=move, connections=connections)

    def document(self) -> Mapping[str, Any]:
        """Return this as a JSON-serialisable dict."""
        return asdict(self)

    @contextmanager
    def opened(self) -> Iterator[ImageArchive]:
        """Open the archive.

        Raises:
            ArchiveError: The address or the AE title cannot be used, or a package is not installed.
        """
        if not self.address.startswith(DIMSE):
            from monai_unlearn.pacs.access import Access
            from monai_unlearn.pacs.dicomweb import DicomWeb

            with DicomWeb(Access.of(self.address, connections=self.connections)) as web:
                yield web
            return
        try:
            from monai_unlearn.pacs.association import Peer
            from monai_unlearn.pacs.dimse import Dimse
        except ImportError as error:
            raise ArchiveError(
                f"DIMSE takes {error.name}, which is not installed. Install it with: pip install 'monai-unlearn[pacs]'"
            ) from None
        called, _, server = self.address.removeprefix(DIMSE).partition("@")
        with closing(Dimse(Peer.of(server, aet=self.aet, called=called), move=self.move)) as dimse:
            yield dimse


def pulled_from(index: Index) -> str:
    """Return the address of the archive that an index was pulled from.

    Raises:
        IndexReadError: It was built of files, or has pseudonyms.
    """
    _refuse_pseudonyms(index)
    pulled = read_document(index.directory).get("pulled")
    if not isinstance(pulled, dict):
        raise IndexReadError(
            f"{index.directory}: this index was not pulled from an archive. Its files are where it says."
        )
    return str(pulled["archive"])


def _refuse_pseudonyms(index: Index) -> None:
    """Refuse to bring files with names in them to where names were kept out, whatever archive is named.

    Raises:
        IndexReadError: The index has pseudonyms.
    """
    if index.pseudonyms is not None:
        raise IndexReadError(
            f"{index.directory}: this index has pseudonyms, and files from an archive have names in their headers, and "
            "some in their pixels. Where images with names may be kept, pull there without --pseudonymise, and fetch. "
            "Otherwise de-identify the images first (DICOM PS3.15 annex E), and index those files: `monai-unlearn "
            "index build`."
        )
