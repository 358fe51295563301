"""How a build is shown to people: a progress bar while it reads, a compact table at its end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

from monai_unlearn.index.tables.kept_words import missing_lines
from monai_unlearn.terminal import escaping_console, say
from monai_unlearn.vocabulary.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monai_unlearn.index.build_report import BuildReport
    from monai_unlearn.index.measures.measure_match import MeasureMatch
    from monai_unlearn.index.tables.join import Match

Read = TypeVar("Read")


def track(files: Iterable[Read]) -> Iterator[Read]:
    """Pass files or studies on, and show a bar, the rate and the time left on stderr; one line if it is no terminal."""
    if sys.stderr.isatty():
        yield from _with_bar(files)
        return
    count = 0
    for file in files:
        yield file
        count += 1
    if count:
        say(f"Reading {count}/{count}", err=True)


def _with_bar(files: Iterable[Read]) -> Iterator[Read]:
    from rich.progress import (  # it takes time to load, which only a terminal is worth
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f}/s" if task.speed else "")

    columns = (TextColumn("Reading"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=escaping_console(stderr=True)) as progress:
        yield from progress.track(files)
        for task in progress.tasks:  # whose total is not known before, where files are listed as they are read
            progress.update(task.id, total=task.completed)


def render(report: BuildReport) -> None:
    """Print what a build did, one fact per line and without line breaks, so that paths can be copied."""
    from rich.text import Text

    console = escaping_console(soft_wrap=True, highlight=False)
    for head, line in _lines(report):
        console.print(Text.assemble((f"{head:<9}", "bold"), line))


def _lines(report: BuildReport) -> Iterator[tuple[str, str]]:
    formats = ", ".join(f"{count:,} {name}" for name, count in report.formats.items())
    files, index = report.files, report.index
    yield "images", f"{index.images:,} ({formats})"
    yield "patients", _patients(report)
    yield "label", _label(report)
    for match in report.matches:
        yield "table", _match(match)
        yield from (("missing", line) for line in missing_lines(match.words_read_as_missing))
    yield from (("measures", line) for match in report.measures for line in _measures(match))
    for fault, (count, path) in report.faults.items():
        mark = "counts" if fault.usable else "left out"
        yield "fault", f"{count:,} {fault.code} ({mark}), e.g. {path}"
    yield from (("warning", line) for line in _tags(report))
    if report.ignored:
        yield "ignored", counted(report.ignored, "other file")
    yield (
        "files",
        f"{files.added:,} added, {files.changed:,} changed, {files.moved:,} moved, {files.reused:,} reused, "
        f"{files.vanished:,} vanished"
        + (f", {files.resumed:,} resumed from an unfinished run" if files.resumed else ""),
    )
    yield "index", f"{index.directory} ({index.digest[:19]}…)"
    yield "next", f"monai-unlearn cohort preview SPEC --index {index.directory}"


def _tags(report: BuildReport) -> Iterator[str]:
    for tag, counts in report.tags.items():
        if counts["invalid"]:
            of = f"{counts['invalid']:,} of {counted(counts['of'], 'DICOM image')}"
            yield f"--tag {tag}: {of} with a value that is not of the tag's kind; it is missing"
        elif not counts["images"]:
            yield f"--tag {tag}: no file has a value (0 of {counted(counts['of'], 'DICOM image')})"


def _patients(report: BuildReport) -> str:
    if report.patient_from is None:
        return "unknown: no PatientID, and no table column that names them (--patient COLUMN)"
    lacking = f"; {counted(report.without_patient, 'image')} without a patient" if report.without_patient else ""
    return f"{report.patients:,}, from {report.patient_from}{lacking}"


def _label(report: BuildReport) -> str:
    if report.index.label is None:
        return "none (name the column that contains the class with --label FIELD)"
    found = ", found by its name" if report.label_found else ""
    return f"{report.index.label}{found}"


def _match(match: Match) -> str:
    of = counted(match.rows, "row")
    head = f"{match.file}: {match.matched_rows:,} of {of} matched by {match.key} = {match.field}"
    if match.unmatched_rows:
        more = ", …" if match.unmatched_rows > len(match.unmatched_row_numbers) else ""
        head += f"; no image for row {', '.join(map(str, match.unmatched_row_numbers))}{more}"
    if match.images_without_row:
        head += f"; {counted(match.images_without_row, 'image')} without a row"
    return head


def _measures(match: MeasureMatch) -> Iterator[str]:
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in match.files.items())
    head = f"{match.path}: {match.matched_files:,} of {counted(sum(match.files.values()), 'file')} matched ({kinds})"
    head += f", {counted(len(match.columns), 'column')}, {counted(match.images_with_measures, 'image')} measured"
    if match.images_without_measures:
        head += f"; {counted(match.images_without_measures, 'image')} without a measure"
    yield head
    if match.unmatched_files:
        more = ", …" if match.unmatched_files > len(match.unmatched_paths) else ""
        matching = counted(match.unmatched_files, "file matches", "files match")
        yield f"{matching} no image: {', '.join(match.unmatched_paths)}{more}"
    for code, fault in match.faults.items():
        yield f"{fault['count']:,} {code}, e.g. {fault['example']}: this file {fault['sentence']}"
    if match.conflicts:
        yield (
            f"{counted(match.conflicts, 'value is', 'values are')} missing because files contradict each other, in "
            f"{', '.join(match.conflicting_columns)}, e.g. of {match.conflicting_images[0]}"
        )
