"""`monai-unlearn results`: which results in an archive came from a version of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from monai_unlearn.cli.command import AsJson, Command, emit
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Mapping

_HELP = (
    "Find the results in an archive that came from one version of a model, so that a hospital can mark them.\n\n"
    "They are found by the version in the algorithm identification of DICOM reports. No server searches there: every "
    "report is read. The output has UIDs; --patients adds PatientID. With --mark, a key object selection of each study "
    "is sent, which says that the results are of a withdrawn version: nothing is deleted or changed. It takes --name, "
    "because models of others have versions of the same number; reports that have results of other algorithms as well "
    "are not marked.\n\n"
    "Secrets come from the environment, as for `index pull`.\n\n"
    "Exit codes: 0 done, whether there are such results or not. 2 the archive or an option cannot be used."
)
_EXAMPLE = "Example: monai-unlearn results --by-version 0.1.0 --dicomweb https://pacs/dicom-web --json"
_Mark = Annotated[
    str | None,
    typer.Option(
        "--mark",
        metavar="issue|reject",
        help="Send a mark: `Quality Issue`, or `Rejected for Quality Reasons`, which many archives then hide.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("results", cls=Command, help=_HELP, epilog=_EXAMPLE)(results)


def results(
    *,
    by_version: Annotated[str, typer.Option("--by-version", metavar="VERSION", help="The version of the bundle.")],
    dicomweb: Annotated[
        str, typer.Option("--dicomweb", metavar="URL", help="The root of the archive's DICOMweb services.")
    ],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="The name of the bundle; by default any.")
    ] = None,
    patients: Annotated[bool, typer.Option("--patients", help="Show PatientID as well.")] = False,
    mark: _Mark = None,
    why: Annotated[str | None, typer.Option("--why", metavar="TEXT", help="What the mark says.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the marks, and send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Find results by version."""
    from monai_unlearn.errors import ConfigError, check_choice
    from monai_unlearn.pacs.access import Access
    from monai_unlearn.pacs.dicomweb import DicomWeb
    from monai_unlearn.release.results.find import document_of, find
    from monai_unlearn.release.results.mark import TITLES, marks
    from monai_unlearn.release.results.send import Stow, shown_all, store_all

    if mark is not None:
        check_choice(mark, TITLES, name="--mark")
        if name is None:
            raise ConfigError(
                f"--mark: models of others may have a version {by_version} too. Give the name of the bundle as well, "
                "--name NAME, as the reports have it: without --mark, they are listed with it."
            )
    with DicomWeb(Access.of(dicomweb)) as server:
        found = find(server, version=by_version, name=name)
        document = document_of(
            found, server=server.access.server, version=by_version, name=name, with_patients=patients
        )
        document["marks"] = []
        if mark is not None:
            made = marks(found.results, version=by_version, title=mark, why=why)
            document["marks"] = shown_all(made)
            document["marks_sent"] = 0 if dry_run else store_all(made, Stow(server), server=server.access.server)
    emit(document, as_json=as_json, render=lambda: _show(document))


def _show(document: Mapping[str, Any]) -> None:
    for one in document["results"]:
        patient = f"{one['PatientID']} " if "PatientID" in one else ""
        say(f"{patient}{one['StudyInstanceUID']} {one['SOPInstanceUID']} {one['algorithm']['name'] or ''}")
    counts = document["reports"]
    say(
        f"{counts['of_the_version']} reports of version {document['version']} in {document['studies']} studies; "
        f"{counts['read']} reports were read, {counts['without_version']} of them name no version.",
        document["note"],
    )
    shared = counts["with_other_algorithms"]
    if shared:
        say(f"{shared} of them have results of other algorithms as well, and are never marked: a person looks at them.")
    if "marks_sent" in document:
        say(f"{document['marks_sent']} of {len(document['marks'])} marks were sent.")
