"""`monai-unlearn index fetch`: the images of a cohort, from the archive that its index was pulled from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from monai_unlearn.cli.command import AsJson, Command, emit
from monai_unlearn.cli.fetch_options import (  # noqa: TC001 - Typer evaluates the annotations
    Budget,
    CalledAe,
    Connections,
    DicomWebUrl,
    Dimse,
    Images,
    IndexFolder,
    Limit,
    Move,
    OnDemandFlag,
    OwnAe,
    Parts,
    Spec,
)
from monai_unlearn.errors import ConfigError, ExitCode
from monai_unlearn.terminal import say
from monai_unlearn.vocabulary.counted import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.cohort import Cohort
    from monai_unlearn.index import Index
    from monai_unlearn.index.fetch.report import FetchReport
    from monai_unlearn.index.fetch.wanted import Wanted

_HELP = (
    "Fetch the images of a cohort from the archive that its index was pulled from, and no others.\n\n"
    "Each file is checked and written whole; a second fetch asks only for what is missing. The index then says where "
    "the files are, so that runs read them; its digest stays the same. With --on-demand, the run itself fetches each "
    "image when it first uses it.\n\n"
    "Exit codes: 0 all images are there, 2 the archive or an option cannot be used, 3 some images are not there."
)
_EXAMPLE = "Example: monai-unlearn index fetch retire-camera.yaml --index index/ --parts forget,remain"


def register(app: typer.Typer) -> None:
    """Add the command to the group of index commands."""
    app.command("fetch", cls=Command, help=_HELP, epilog=_EXAMPLE)(fetch_images)


def fetch_images(  # noqa: PLR0913 - in Typer, each option is a parameter
    spec: Spec,
    *,
    index: IndexFolder,
    parts: Parts = "forget,remain",
    on_demand: OnDemandFlag = False,
    limit: Limit = None,
    budget_bytes: Budget = None,
    images: Images = None,
    dicomweb: DicomWebUrl = None,
    dimse: Dimse = None,
    called: CalledAe = None,
    aet: OwnAe = None,
    move: Move = None,
    connections: Connections = 4,
    as_json: AsJson = False,
) -> None:
    """Fetch the images of a cohort from the archive that its index was pulled from."""
    from monai_unlearn.cohort import CohortSpec
    from monai_unlearn.index import Index, build_view
    from monai_unlearn.index.fetch.archive import ImageSource
    from monai_unlearn.index.fetch.fetch import fetch
    from monai_unlearn.index.fetch.on_demand import link
    from monai_unlearn.light_imports import light_arrow

    light_arrow()
    opened = Index.open(index)
    source = ImageSource.of(
        opened, dicomweb=dicomweb, dimse=dimse, called=called, aet=aet, move=move, connections=connections
    )
    wanted = _wanted(opened, CohortSpec.read(spec).resolve(opened), parts.split(","), limit)
    folder = index / "images" if images is None else images
    if on_demand:
        done = link(opened, wanted, source, folder=folder, budget=budget_bytes)
    else:
        with source.opened() as archive:
            done = fetch(
                opened,
                wanted,
                archive,
                folder=folder,
                budget=budget_bytes,
                connections=connections,
                track=build_view.track,
            )
    emit(done.document(), as_json=as_json, render=lambda: _show(done))
    if not done.is_whole:
        say("Error: some images of the cohort are not there; the lines above say why.", err=True)
        raise typer.Exit(int(ExitCode.NOT_ACCEPTED))


def _wanted(index: Index, cohort: Cohort, parts: Sequence[str], limit: int | None) -> list[Wanted]:
    """Return the images of some parts of a cohort, at most so many of each."""
    from monai_unlearn.index.fetch.wanted import people_of, wanted_of

    rows, people = [], people_of(index)
    for part in parts:
        if part not in ("forget", "remain", "undetermined"):
            raise ConfigError(f"--parts: expected forget, remain, undetermined, joined by commas, got '{part}'.")
        frame = getattr(cohort, part)[["image_id", "study", "series"]].head(limit)
        known = frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None)
        rows += [(*row, people.get(row[0])) for row in known]
    return wanted_of(rows)


def _show(done: FetchReport) -> None:
    say(
        f"images   {done.folder}: {done.fetched:,} fetched, {done.present:,} were there, of {done.wanted:,}; "
        f"{done.bytes / 1e6:,.1f} MB"
    )
    if done.on_demand:
        say(f"later    {counted(done.on_demand, 'image')} will be fetched when a run first uses them")
    if done.missing:
        say(f"missing  {counted(done.missing, 'image')} no longer in the archive: pull the index again")
    for fault, count in done.faulty.items():
        advice = ": pull the index again" if fault == "other_patient" else ""
        say(f"faulty   {counted(count, 'file')} of the archive: {fault}; not kept{advice}")
    if done.left:
        say(f"left     {counted(done.left, 'image')} for which the budget or the disk has no room")
