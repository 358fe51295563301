"""The archive that a command line names: by DICOMweb, or by DIMSE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.errors import ArchiveError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from monai_unlearn.index.sources.dimse_archive import DimseArchive
    from monai_unlearn.index.sources.web_archive import WebArchive


def open_archive(
    *,
    dicomweb: str | None,
    dimse: str | None,
    aet: str | None,
    called: str | None,
    connections: int,
    tags: Sequence[str],
    today: dt.date,
) -> WebArchive | DimseArchive:
    """Return an archive to pull from; nothing is sent yet.

    Args:
        dicomweb: The root of its DICOMweb services.
        dimse: HOST:PORT for DIMSE; one of the two is given.
        aet: With DIMSE, the AE title of this machine.
        called: With DIMSE, the AE title of the archive.
        connections: How many requests are under way at once.
        tags: Further tags to ask for.
        today: The day of the pull.

    Raises:
        ArchiveError: Both or neither are given, an address is none, or a package is not installed.
    """
    if (dicomweb is None) == (dimse is None):
        raise ArchiveError("Name the archive: either --dicomweb URL, or --dimse HOST:PORT with --aet and --called.")
    try:
        if dimse is not None:
            from monai_unlearn.index.sources.dimse_archive import DimseArchive
            from monai_unlearn.pacs.association import Peer

            return DimseArchive(Peer.of(dimse, aet=aet, called=called), tags=tags, today=today)
        from monai_unlearn.index.sources.web_archive import WebArchive
        from monai_unlearn.pacs.access import Access
    except ImportError as error:
        raise ArchiveError(
            f"Pulling from an archive takes {error.name}, which is not installed. Install it with: "
            "pip install 'monai-unlearn[pacs]'"
        ) from None
    return WebArchive(Access.of(str(dicomweb), connections=connections), today=today)
