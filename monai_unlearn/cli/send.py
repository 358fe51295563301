"""`monai-unlearn send`: results and cards into an archive."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monai_unlearn.cli.command import AsJson, Command, emit
from monai_unlearn.errors import ArchiveError, ConfigError
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monai_unlearn.release.results.send import Sender

_HELP = (
    "Send results to an archive, by STOW-RS or C-STORE: the DICOM reports that `run infer --reports True` writes, and "
    "on request the model card for the quality archive.\n\n"
    "Each report is checked first: a measurement report (TID 1500) that names its model and version, with --bundle "
    "those of the bundle, and the images that it was made from. A report belongs to the study of its image; a card has "
    "a study of its own. Secrets come from the environment, as for `index pull`.\n\n"
    "Exit codes: 0 sent, or shown with --dry-run. 2 a report, the archive or an option cannot be used."
)
_EXAMPLE = (
    "Example: monai-unlearn send eval/reports --dicomweb https://pacs/dicom-web --bundle revised_bundle --dry-run"
)
_Reports = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[REPORTS]…", help="Reports, or folders of them; none, to send a card alone."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("send", cls=Command, help=_HELP, epilog=_EXAMPLE)(send)


def send(  # noqa: PLR0913 - Typer takes an option as a parameter
    reports: _Reports = None,
    *,
    dicomweb: Annotated[
        str | None, typer.Option("--dicomweb", metavar="URL", help="The root of the archive's DICOMweb services.")
    ] = None,
    dimse: Annotated[
        str | None, typer.Option("--dimse", metavar="HOST:PORT", help="An archive without DICOMweb: C-STORE.")
    ] = None,
    aet: Annotated[str, typer.Option("--aet", metavar="AE", help="Our AE title, for --dimse.")] = "MONAI_UNLEARN",
    called: Annotated[str, typer.Option("--called", metavar="AE", help="The archive's AE title.")] = "ANY-SCP",
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", metavar="DIR", help="The bundle; reports of another bundle or version are refused."),
    ] = None,
    card: Annotated[
        str | None,
        typer.Option("--card", metavar="pdf|text", help="Send the bundle's model card: encapsulated PDF, or text SR."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent, and send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send results to an archive."""
    from monai_unlearn.release.bundle_info import BundleInfo
    from monai_unlearn.release.results.card_document import card_document
    from monai_unlearn.release.results.send import document_of, read_reports, store_all

    if card is not None and bundle is None:
        raise ConfigError("--card: expected --bundle DIR, whose card is sent.")
    of = None if bundle is None else BundleInfo.read(bundle)
    version, name = (None, None) if of is None else (of.version, of.name)
    documents = read_reports(reports or (), version=version, name=name) if reports or card is None else []
    if card is not None and bundle is not None:
        documents.append(card_document(bundle, form=card))
    with _archive(dicomweb, dimse, aet=aet, called=called) as (sender, server):
        sent = None if dry_run else store_all(documents, sender, server=server)
        document = document_of(documents, server=server, sent=sent)
    emit(document, as_json=as_json, render=lambda: _show(document))


@contextmanager
def _archive(dicomweb: str | None, dimse: str | None, *, aet: str, called: str) -> Iterator[tuple[Sender, str]]:
    if (dicomweb is None) == (dimse is None):
        raise ConfigError("expected the archive: --dicomweb URL or --dimse HOST:PORT, one of them.")
    if dimse is not None:
        try:
            from monai_unlearn.pacs.association import Peer
            from monai_unlearn.pacs.c_store import CStore
        except ImportError:
            raise ArchiveError(
                "DIMSE takes pynetdicom, which is not installed. Install it with: pip install 'monai-unlearn[pacs]'"
            ) from None
        peer = Peer.of(dimse, aet=aet, called=called)
        yield CStore(peer), peer.server
        return
    from monai_unlearn.pacs.access import Access
    from monai_unlearn.pacs.dicomweb import DicomWeb
    from monai_unlearn.release.results.send import Stow

    with DicomWeb(Access.of(str(dicomweb))) as server:
        yield Stow(server), server.access.server


def _show(document: Mapping[str, Any]) -> None:
    for one in document["documents"]:
        algorithm = one["algorithm"] or {"name": "model card", "version": ""}
        say(f"{one['SOPInstanceUID']} in study {one['StudyInstanceUID']}: {algorithm['name']} {algorithm['version']}")
    number = len(document["documents"])
    done = f"{number} documents would be sent" if document["dry_run"] else f"{document['sent']} documents were sent"
    say(f"{done} to {document['server']}.")
