"""`monai-unlearn index from-table`: an index of metadata alone."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer evaluates the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from monai_unlearn.cli.command import AsJson, Command, emit
from monai_unlearn.cli.index_options import IncludeDerived, KeepWord, PatientKeyOption  # noqa: TC001 - Typer evaluates the annotations
from monai_unlearn.terminal import say
from monai_unlearn.vocabulary.counted import counted

if TYPE_CHECKING:
    from monai_unlearn.index.tables.from_table import TableReport

_HELP = (
    "Build an index of metadata alone: each row of a CSV or Parquet file is an image, and no image is opened.\n\n"
    "Columns named after DICOM keywords are read as such: PatientAge 045Y or in years, StudyDate 20180605 or "
    "2018-06-05. PatientID, StudyInstanceUID and SeriesInstanceUID become patient, study and series.\n\n"
    "Exit codes: 0 success, 2 the table cannot be used."
)
_EXAMPLE = "Example: monai-unlearn index from-table series.parquet --id SeriesInstanceUID --out index/"


def register(app: typer.Typer) -> None:
    """Add the command to the group of index commands."""
    app.command("from-table", cls=Command, help=_HELP, epilog=_EXAMPLE)(from_table)


def from_table(  # noqa: PLR0913 - in Typer, each option is a parameter
    table: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV (.csv, .tsv) or Parquet file.")],
    *,
    id_column: Annotated[str, typer.Option("--id", metavar="COLUMN", help="The column that identifies each image.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder of the index.")],
    rename: Annotated[
        list[str] | None,
        typer.Option("--rename", metavar="NEW=OLD", help="Rename a column; can be repeated."),
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", metavar="FIELD", help="The column that contains the class.")
    ] = None,
    patient_key: PatientKeyOption = "PatientID",
    include_derived: IncludeDerived = False,
    delimiter: Annotated[
        str | None,
        typer.Option("--delimiter", metavar="C", help="What separates the values of a CSV, such as ';', or tab."),
    ] = None,
    keep_word: KeepWord = None,
    as_json: AsJson = False,
) -> None:
    """Build an index of metadata alone."""
    from monai_unlearn.index.patient_key import PatientKey
    from monai_unlearn.index.tables.delimiter import parse_delimiter
    from monai_unlearn.index.tables.from_table import TableRequest, index_table, parse_renames
    from monai_unlearn.index.tables.kept_words import KeptWords

    request = TableRequest(
        table=table,
        id_column=id_column,
        out=out,
        rename=parse_renames(rename or ()),
        label=label,
        patient_key=PatientKey.parse(patient_key),
        include_derived=include_derived,
        delimiter=parse_delimiter(delimiter),
        kept=KeptWords.parse(keep_word or ()),
    )
    done = index_table(request)
    emit(done.document(), as_json=as_json, render=lambda: _show(done))


def _show(done: TableReport) -> None:
    from monai_unlearn.index.tables.kept_words import missing_lines

    index = done.index
    say(
        f"{counted(index.images, 'image')} of {counted(index.rows, 'row')}, {counted(len(index.columns), 'column')}: "
        f"{done.table}"
    )
    for fault, count in done.faults.items():
        mark = "counts" if fault.usable else "left out"
        say(f"  {count:,} {fault.code} ({mark})")
    for line in missing_lines(done.missing):
        say(f"  {line}")
    say(f"Index: {index.directory} ({index.digest[:19]}…)")
    say("Next:")
    say(f"  monai-unlearn cohort preview SPEC --index {index.directory}")
