"""Building an index: list, read, assemble, join tables, check, write; each step streams over the one before."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.assemble import Collected, Duplicates, collect
from monai_unlearn.index.build_request import BuildRequest
from monai_unlearn.index.compose import Composition, check_decisions
from monai_unlearn.index.duplicates import find_duplicates
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.identities import identities_of
from monai_unlearn.index.listing import Walk
from monai_unlearn.index.measures.labels import MaskLabels
from monai_unlearn.index.scan.extra_tags import FoundTags
from monai_unlearn.index.scan.plan import all_rows, make_plan
from monai_unlearn.index.scan.previous_rows import kept_files
from monai_unlearn.index.scan.read import Track, read_fresh
from monai_unlearn.index.scan.workspace import Workspace
from monai_unlearn.index.store.digest import engine
from monai_unlearn.index.store.write import check_target
from monai_unlearn.vocabulary.privacy import handle_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from monai_unlearn.index.build_report import BuildReport

__all__ = ["BuildRequest", "build"]


def build(request: BuildRequest, *, track: Track) -> BuildReport:
    """Build an index; only files that are new or changed since the last build are read.

    Nothing is held in memory for all files at once, except what `measures` need; so memory does not grow with their
    number.

    Args:
        request: What to index, and how.
        track: Passes the files to read through, and shows the progress.

    Raises:
        IndexReadError: A source, table or measure cannot be used, no image is readable, a file that the user named is
            faulty, or the folder contains something else. Nothing is written then.
    """
    check_target(request.out)
    check_decisions(request)
    if request.measures:
        from monai_unlearn.index.measures.join import refuse_overlap  # it loads all that reads measures

        refuse_overlap(request.measures, request.sources)
    labels = MaskLabels() if request.mask_labels is None else MaskLabels.read(request.mask_labels)
    walk = Walk(request.sources, leave_out=[*request.not_images, *request.measures])
    mark = request.scan.mark
    with Workspace(request.out, mark) as space:
        plan = make_plan(walk, space, kept_files(request.out, mark))
        files, ids, derived = space.stage / "files.parquet", space.folder / "ids.parquet", request.include_derived
        tags = FoundTags()
        with closing(read_fresh(plan, space, options=request.scan, track=track)) as blocks:
            rows = all_rows(plan, space, kept_files(request.out, mark), blocks)
            rows = tags.noting(rows, request.scan.extra_tags)
            collected = collect(rows, files=files, ids=ids, mark=mark, derived=derived, built=request.built)
        with engine(space.folder) as connection:
            identities = identities_of(connection, collected, request.patient_key)
            duplicates = find_duplicates(connection, collected, request.patient_key)
            moved = plan.moves.count(connection, collected.files) if plan.moves else 0
            _refuse_named_faults(collected, duplicates)
            _refuse_without_images(collected, request.sources)
            ignored, counts = plan.skipped + len(plan.files) - collected.rows, plan.counts.with_moved(moved)
            composition = Composition(request, ignored, collected, counts, identities, tags)
            return composition.finish(space, duplicates, labels, track, connection=connection)


def _refuse_named_faults(collected: Collected, duplicates: Duplicates) -> None:
    twice = set(duplicates.copies.tolist()) if collected.named else set()
    for number, path, code in collected.named:
        fault = Fault.DUPLICATE_SOP_INSTANCE_UID if number in twice else code and Fault.of(code)
        if fault and not fault.usable:
            raise IndexReadError(f"{path}: this file {fault.sentence} ({fault.code}). Nothing was written.")


def _refuse_without_images(collected: Collected, sources: Sequence[Path]) -> None:
    if collected.usable:
        return
    where = ", ".join(map(str, sources))
    if not collected.rows:
        raise IndexReadError(f"{where}: expected DICOM, NIfTI, JPEG, PNG, TIFF or BMP images, found none.")
    faults = [fault.code for fault in Fault if fault.code in collected.faults]
    counts = ", ".join(f"{collected.faults[code]} {code}" for code in faults)
    raise IndexReadError(f"{where}: no image can be read: {counts}. The first is {handle_of(collected.first)}.")
