"""`monai-unlearn index pull`: an index of what an image archive has, without its images."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from monai_unlearn.cli.command import AsJson, Command, ShowPaths, emit
from monai_unlearn.cli.index_options import IncludeDerived, PatientKeyOption  # noqa: TC001 - Typer evaluates the annotations
from monai_unlearn.cli.pull_options import (  # noqa: TC001 - as above
    CalledAe,
    Check,
    Connections,
    DicomWebUrl,
    Dimse,
    Dropped,
    FirstDay,
    Kept,
    KeyFile,
    Keys,
    Label,
    LastDay,
    Modalities,
    Out,
    OwnAe,
    PatientColumn,
    Tables,
    Tags,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import typer

    from monai_unlearn.index.scan.options import ScanOptions

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
    out: Out,
    dicomweb: DicomWebUrl = None,
    dimse: Dimse = None,
    called: CalledAe = None,
    modality: Modalities = None,
    first: FirstDay = None,
    last: LastDay = None,
    aet: OwnAe = None,
    check: Check = False,
    connections: Connections = 8,
    table: Tables = None,
    key: Keys = None,
    label: Label = None,
    patient: PatientColumn = None,
    patient_key: PatientKeyOption = "PatientID",
    include_derived: IncludeDerived = False,
    pseudonymise: KeyFile = None,
    drop: Dropped = None,
    keep: Kept = None,
    tag: Tags = None,
    paths: ShowPaths = False,
    as_json: AsJson = False,
) -> None:
    """Index the images of an archive by their metadata alone."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from monai_unlearn.light_imports import light_arrow

    light_arrow()
    from monai_unlearn.index import build_view, pull, pull_view
    from monai_unlearn.index.build_request import BuildRequest
    from monai_unlearn.index.patient_key import PatientKey
    from monai_unlearn.index.sources.open_archive import open_archive
    from monai_unlearn.index.tables.key import pair_keys
    from monai_unlearn.pacs.study_query import StudyQuery

    build = BuildRequest(
        sources=(),
        out=out,
        keys=pair_keys(table or (), key or ()),
        label=label,
        patient=patient,
        patient_key=PatientKey.parse(patient_key),
        include_derived=include_derived,
        scan=_scan(out, pseudonymise, drop=drop or (), keep=keep or (), tag=tag or ()),
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


def _scan(
    out: Path, pseudonymise: Path | None, *, drop: Sequence[str], keep: Sequence[str], tag: Sequence[str]
) -> ScanOptions:
    """Return what is read of each image, and what of it is hashed."""
    from monai_unlearn.index.pseudonyms import Pseudonyms
    from monai_unlearn.index.scan.decisions import Decisions
    from monai_unlearn.index.scan.extra_tags import ExtraTags
    from monai_unlearn.index.scan.options import ScanOptions

    names = None if pseudonymise is None else Pseudonyms.read(pseudonymise, apart_from=out)
    return ScanOptions(
        pseudonyms=names,
        decisions=Decisions.parse(drop, keep, is_pseudonymised=names is not None),
        extra_tags=ExtraTags.of(tag, raw_values=False, pseudonyms=names),
    )
