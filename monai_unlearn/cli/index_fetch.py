"""`monai-unlearn index fetch`: the images of a cohort, from the archive that its index was pulled from."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer evaluates the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from monai_unlearn.cli.command import AsJson, Command, emit
from monai_unlearn.errors import ConfigError, ExitCode
from monai_unlearn.terminal import say
from monai_unlearn.vocabulary.counted import counted

if TYPE_CHECKING:
    from monai_unlearn.index.fetch import FetchReport

_HELP = (
    "Fetch the images of a cohort from the archive that its index was pulled from, and no others.\n\n"
    "Each file is checked and written whole; a second fetch asks only for what is missing. The index then says where "
    "the files are, so that runs read them; its digest stays the same.\n\n"
    "Exit codes: 0 all images are there, 2 the archive or an option cannot be used, 3 some images are not there."
)
_EXAMPLE = "Example: monai-unlearn index fetch retire-camera.yaml --index index/ --parts forget,remain"


def register(app: typer.Typer) -> None:
    """Add the command to the group of index commands."""
    app.command("fetch", cls=Command, help=_HELP, epilog=_EXAMPLE)(fetch_images)


def fetch_images(  # noqa: PLR0913 - in Typer, each option is a parameter
    spec: Annotated[Path, typer.Argument(metavar="SPEC", help="The cohort spec, a YAML file.")],
    *,
    index: Annotated[Path, typer.Option("--index", metavar="DIR", help="The index, as `index pull` wrote it.")],
    parts: Annotated[
        str, typer.Option("--parts", metavar="PART,…", help="Parts of the cohort: forget, remain, undetermined.")
    ] = "forget,remain",
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=1, help="At most so many images of each part."),
    ] = None,
    budget_bytes: Annotated[
        int | None,
        typer.Option("--budget-bytes", metavar="N", min=1, help="How many bytes the files may have in all."),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option("--images", metavar="DIR", help="The folder of the files; default: DIR/images."),
    ] = None,
    dicomweb: Annotated[
        str | None,
        typer.Option("--dicomweb", metavar="URL", help="The archive; default: that of the pull."),
    ] = None,
    aet: Annotated[
        str | None,
        typer.Option("--aet", metavar="AE", help="This machine's AE title, for an index that was pulled by DIMSE."),
    ] = None,
    connections: Annotated[
        int, typer.Option("--connections", metavar="N", min=1, max=64, help="How many requests are under way at once.")
    ] = 4,
    as_json: AsJson = False,
) -> None:
    """Fetch the images of a cohort from the archive that its index was pulled from."""
    from monai_unlearn.cohort import CohortSpec
    from monai_unlearn.index import Index, build_view
    from monai_unlearn.index.fetch import fetch, opened_archive, people_of, pulled_from, wanted_of
    from monai_unlearn.light_imports import light_arrow

    light_arrow()
    opened = Index.open(index)
    address = pulled_from(opened) if dicomweb is None else dicomweb
    cohort = CohortSpec.read(spec).resolve(opened)
    rows, people = [], people_of(opened)
    for part in parts.split(","):
        if part not in ("forget", "remain", "undetermined"):
            raise ConfigError(f"--parts: expected forget, remain, undetermined, joined by commas, got '{part}'.")
        frame = getattr(cohort, part)[["image_id", "study", "series"]].head(limit)
        known = frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None)
        rows += [(*row, people.get(row[0])) for row in known]
    with opened_archive(address, aet=aet, connections=connections) as archive:
        done = fetch(
            opened,
            wanted_of(rows),
            archive,
            folder=index / "images" if images is None else images,
            budget=budget_bytes,
            connections=connections,
            track=build_view.track,
        )
    emit(done.document(), as_json=as_json, render=lambda: _show(done))
    if not done.is_whole:
        say("Error: some images of the cohort are not there; the lines above say why.", err=True)
        raise typer.Exit(int(ExitCode.NOT_ACCEPTED))


def _show(done: FetchReport) -> None:
    say(
        f"images   {done.folder}: {done.fetched:,} fetched, {done.present:,} were there, of {done.wanted:,}; "
        f"{done.bytes / 1e6:,.1f} MB"
    )
    if done.missing:
        say(f"missing  {counted(done.missing, 'image')} no longer in the archive: pull the index again")
    for fault, count in done.faulty.items():
        advice = ": pull the index again" if fault == "other_patient" else ""
        say(f"faulty   {counted(count, 'file')} of the archive: {fault}; not kept{advice}")
    if done.left:
        say(f"left     {counted(done.left, 'image')} for which the budget or the disk has no room")
