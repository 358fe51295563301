"""`monai-unlearn index pull`: an index of what an image archive has, without its images."""

from __future__ import annotations

import os
from pathlib import Path  # noqa: TC003 - Typer evaluates the annotations
from typing import Annotated

import typer

from monai_unlearn.cli.command import AsJson, Command, ShowPaths, emit
from monai_unlearn.cli.index_options import IncludeDerived, PatientKeyOption  # noqa: TC001 - Typer evaluates the annotations

_HELP = (
    "Index the images of an archive by their metadata alone: nobody copies an archive to learn whom a spec catches.\n\n"
    "The rows are those of `index build` for the same files. A second pull asks only for studies that have changed; a "
    "pull after one that was killed goes on where that stopped.\n\n"
    "Tokens and passwords come from the environment or from files that it names: MONAI_UNLEARN_PACS_TOKEN_FILE, "
    "MONAI_UNLEARN_PACS_USER and MONAI_UNLEARN_PACS_PASSWORD_FILE, MONAI_UNLEARN_PACS_CA, MONAI_UNLEARN_PACS_CERT, "
    "MONAI_UNLEARN_PACS_KEY.\n\n"
    "Exit codes: 0 success, 2 the archive or an option cannot be used."
)
_EXAMPLE = "Example: monai-unlearn index pull --dicomweb https://pacs/dicom-web --out index/ --modality OP"


def register(app: typer.Typer) -> None:
    """Add the command to the group of index commands."""
    app.command("pull", cls=Command, help=_HELP, epilog=_EXAMPLE)(pull_index)


def pull_index(  # noqa: PLR0913 - in Typer, each option is a parameter
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder of the index.")],
    dicomweb: Annotated[
        str | None, typer.Option("--dicomweb", metavar="URL", help="The root of the archive's DICOMweb services.")
    ] = None,
    dimse: Annotated[
        str | None,
        typer.Option(
            "--dimse", metavar="HOST:PORT", help="An archive without DICOMweb; needs --aet and --called. Slower."
        ),
    ] = None,
    called: Annotated[
        str | None, typer.Option("--called", metavar="AE", help="With --dimse: the AE title of the archive.")
    ] = None,
    modality: Annotated[
        list[str] | None,
        typer.Option("--modality", metavar="OP", help="Only images of this modality; can be repeated."),
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="Only studies of this day and later: 2015-01-31.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="Only studies of this day and earlier.")
    ] = None,
    aet: Annotated[
        str | None,
        typer.Option(
            "--aet",
            metavar="AE",
            help="With --dimse: the AE title of this machine, which the archive knows. With --dicomweb: only studies "
            "that this application entity has (RetrieveAETitle).",
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Ask for everything again: notices what was deleted or changed in place since the last pull.",
        ),
    ] = False,
    connections: Annotated[
        int, typer.Option("--connections", metavar="N", min=1, max=64, help="How many requests are under way at once.")
    ] = 8,
    table: Annotated[
        list[Path] | None,
        typer.Option("--table", metavar="FILE", help="A CSV or Parquet file about the images; can be repeated."),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="COLUMN[=FIELD]", help="How the table is matched, as in `index build`."),
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", metavar="FIELD", help="The column that contains the class.")
    ] = None,
    patient: Annotated[
        str | None,
        typer.Option("--patient", metavar="COLUMN", help="The table column that names the patient of every image."),
    ] = None,
    patient_key: PatientKeyOption = "PatientID",
    include_derived: IncludeDerived = False,
    pseudonymise: Annotated[
        Path | None,
        typer.Option(
            "--pseudonymise",
            metavar="KEYFILE",
            help="Replace identifiers of patients, studies and accessions by hashes under the key in this file, before "
            "anything is written. Free text must be dropped or kept: see --drop and --keep.",
        ),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option("--drop", metavar="COLUMN", help="With --pseudonymise: do not index this column."),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="COLUMN", help="With --pseudonymise: index this column as it is."),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="TAG", help="Index a further DICOM tag, as in `index build`; can be repeated."),
    ] = None,
    paths: ShowPaths = False,
    as_json: AsJson = False,
) -> None:
    """Index the images of an archive by their metadata alone."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from monai_unlearn.light_imports import light_arrow

    light_arrow()
    from monai_unlearn.index import build_view, pseudonyms, pull, pull_view
    from monai_unlearn.index.build_request import BuildRequest
    from monai_unlearn.index.patient_key import PatientKey
    from monai_unlearn.index.scan.decisions import Decisions
    from monai_unlearn.index.scan.extra_tags import ExtraTags
    from monai_unlearn.index.scan.options import ScanOptions
    from monai_unlearn.index.sources.open_archive import open_archive
    from monai_unlearn.index.tables.key import pair_keys
    from monai_unlearn.pacs.study_query import StudyQuery

    names = None if pseudonymise is None else pseudonyms.Pseudonyms.read(pseudonymise, apart_from=out)
    build = BuildRequest(
        sources=(),
        out=out,
        keys=pair_keys(table or (), key or ()),
        label=label,
        patient=patient,
        patient_key=PatientKey.parse(patient_key),
        include_derived=include_derived,
        scan=ScanOptions(
            pseudonyms=names,
            decisions=Decisions.parse(drop or (), keep or (), is_pseudonymised=names is not None),
            extra_tags=ExtraTags.of(tag or (), raw_values=False, pseudonyms=names),
        ),
    )
    query = StudyQuery.of(modality=modality or (), first=first, last=last, aet=None if dimse else aet)
    request = pull.PullRequest(build=build, query=query, check=check, connections=connections)
    archive = open_archive(
        dicomweb=dicomweb,
        dimse=dimse,
        aet=aet,
        called=called,
        connections=connections,
        tags=build.scan.extra_tags.tags,
        today=build.built,
    )
    try:
        done = pull.pull(request, archive, track=build_view.track)
    finally:
        archive.close()
    done = done if paths else done.without_paths()
    emit(done.document(), as_json=as_json, render=lambda: pull_view.render(done))
