"""The options of `index pull`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder of the index.")]
DicomWebUrl = Annotated[
    str | None, typer.Option("--dicomweb", metavar="URL", help="The root of the archive's DICOMweb services.")
]
Dimse = Annotated[
    str | None,
    typer.Option("--dimse", metavar="HOST:PORT", help="An archive without DICOMweb; needs --aet and --called. Slower."),
]
CalledAe = Annotated[
    str | None, typer.Option("--called", metavar="AE", help="With --dimse: the AE title of the archive.")
]
Modalities = Annotated[
    list[str] | None,
    typer.Option("--modality", metavar="OP", help="Only images of this modality; can be repeated."),
]
FirstDay = Annotated[
    str | None, typer.Option("--from", metavar="DAY", help="Only studies of this day and later: 2015-01-31.")
]
LastDay = Annotated[str | None, typer.Option("--to", metavar="DAY", help="Only studies of this day and earlier.")]
OwnAe = Annotated[
    str | None,
    typer.Option(
        "--aet",
        metavar="AE",
        help="With --dimse: the AE title of this machine, which the archive knows. With --dicomweb: only studies "
        "that this application entity has (RetrieveAETitle).",
    ),
]
Check = Annotated[
    bool,
    typer.Option(
        "--check",
        help="Ask for everything again: notices what was deleted or changed in place since the last pull.",
    ),
]
Connections = Annotated[
    int, typer.Option("--connections", metavar="N", min=1, max=64, help="How many requests are under way at once.")
]
Tables = Annotated[
    list[Path] | None,
    typer.Option("--table", metavar="FILE", help="A CSV or Parquet file about the images; can be repeated."),
]
Keys = Annotated[
    list[str] | None,
    typer.Option("--key", metavar="COLUMN[=FIELD]", help="How the table is matched, as in `index build`."),
]
Label = Annotated[str | None, typer.Option("--label", metavar="FIELD", help="The column that contains the class.")]
PatientColumn = Annotated[
    str | None,
    typer.Option("--patient", metavar="COLUMN", help="The table column that names the patient of every image."),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--pseudonymise",
        metavar="KEYFILE",
        help="Replace identifiers of patients, studies and accessions by hashes under the key in this file, before "
        "anything is written. Free text must be dropped or kept: see --drop and --keep.",
    ),
]
Dropped = Annotated[
    list[str] | None,
    typer.Option("--drop", metavar="COLUMN", help="With --pseudonymise: do not index this column."),
]
Kept = Annotated[
    list[str] | None,
    typer.Option("--keep", metavar="COLUMN", help="With --pseudonymise: index this column as it is."),
]
Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="TAG", help="Index a further DICOM tag, as in `index build`; can be repeated."),
]
