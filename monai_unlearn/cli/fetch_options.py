"""The options of `index fetch`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Spec = Annotated[Path, typer.Argument(metavar="SPEC", help="The cohort spec, a YAML file.")]
IndexFolder = Annotated[Path, typer.Option("--index", metavar="DIR", help="The index, as `index pull` wrote it.")]
Parts = Annotated[
    str, typer.Option("--parts", metavar="PART,…", help="Parts of the cohort: forget, remain, undetermined.")
]
OnDemandFlag = Annotated[
    bool,
    typer.Option("--on-demand", help="Fetch nothing now: a run fetches each image when it first uses it."),
]
Limit = Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="At most so many images of each part.")]
Budget = Annotated[
    int | None, typer.Option("--budget-bytes", metavar="N", min=1, help="How many bytes the files may have in all.")
]
Images = Annotated[
    Path | None, typer.Option("--images", metavar="DIR", help="The folder of the files; default: DIR/images.")
]
DicomWebUrl = Annotated[
    str | None, typer.Option("--dicomweb", metavar="URL", help="The archive; default: that of the pull.")
]
Dimse = Annotated[
    str | None,
    typer.Option("--dimse", metavar="HOST:PORT", help="The archive, by DIMSE; needs --aet and --called."),
]
CalledAe = Annotated[
    str | None, typer.Option("--called", metavar="AE", help="With --dimse: the AE title of the archive.")
]
OwnAe = Annotated[
    str | None, typer.Option("--aet", metavar="AE", help="This machine's AE title, for an archive that speaks DIMSE.")
]
Move = Annotated[
    int | None,
    typer.Option(
        "--move",
        metavar="PORT",
        min=1,
        max=65535,
        help="Fetch by C-MOVE instead of C-GET: the archive sends to this port, where it must know --aet.",
    ),
]
Connections = Annotated[
    int, typer.Option("--connections", metavar="N", min=1, max=64, help="How many requests are under way at once.")
]
