"""`monai-unlearn index`: build the image index."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer evaluates the annotations
from typing import Annotated

import typer

from monai_unlearn.cli.command import AsJson, Command, emit
from monai_unlearn.errors import ExitCode

app = typer.Typer(help="Build the index of images that cohorts are chosen from.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    pass


@app.command("build", cls=Command)
def build_index(  # noqa: PLR0913 - Typer takes an option as a parameter
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE", help="Folders or files of images.")],
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder of the index.")],
    table: Annotated[
        list[Path] | None,
        typer.Option("--table", metavar="FILE", help="A CSV or Parquet file about the images; may stand often."),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            metavar="COLUMN[=FIELD]",
            help="How the table is matched: its COLUMN with a FIELD of the index (file_name, file_stem, "
            "path, image_id, patient, …). Without FIELD: file_name, or image_id where the values are UIDs.",
        ),
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", metavar="FIELD", help="The column that carries the class.")
    ] = None,
    patient: Annotated[
        str | None,
        typer.Option("--patient", metavar="COLUMN", help="The table column that names every image's patient."),
    ] = None,
    unit: Annotated[
        list[str] | None,
        typer.Option("--unit", metavar="COLUMN=UNIT", help="The unit of a table's column, such as width=mm."),
    ] = None,
    measures: Annotated[
        list[Path] | None,
        typer.Option(
            "--measures",
            metavar="PATH",
            help="A file or folder of NIfTI masks, DICOM segmentations or DICOM measurement reports; may stand often. "
            "What they measure becomes columns: volumes, centroids, asymmetries, reported numbers.",
        ),
    ] = None,
    mask_labels: Annotated[
        Path | None,
        typer.Option(
            "--mask-labels", metavar="FILE", help="JSON or YAML that names the labels of NIfTI masks: {liver: 1, …}."
        ),
    ] = None,
    reader: Annotated[
        str,
        typer.Option(
            "--reader",
            metavar="auto|plain|pydicom|gdcm",
            help="What reads DICOM files first; pydicom reads what is odd about any. All give the same rows.",
        ),
    ] = "auto",
    workers: Annotated[
        int | None,
        typer.Option("--workers", metavar="N", min=1, help="How many processes read; if not given, one a core."),
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(
            "--dask",
            metavar="ADDRESS",
            help="Read on the workers of this dask scheduler, which see the same files; or `local`: on this machine.",
        ),
    ] = None,
    decode_check: Annotated[
        bool,
        typer.Option("--decode-check", help="Decode all pixels too, which finds more and takes long."),
    ] = False,
    pseudonymise: Annotated[
        Path | None,
        typer.Option(
            "--pseudonymise",
            metavar="KEYFILE",
            help="Replace identifiers of patients, studies and accessions by hashes under the key in this file.",
        ),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(
            "--tag",
            metavar="KEYWORD",
            help="Index a further DICOM keyword, such as AccessionNumber or PatientBirthDate; may stand often.",
        ),
    ] = None,
    raw_values: Annotated[
        bool,
        typer.Option("--raw-values", help="Keep what stands in place of invalid values, in the column raw_values."),
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="End with exit code 2 where any file has a fault.")] = False,
    as_json: AsJson = False,
) -> None:
    """Index images: one row an image, its DICOM tags, its table columns, its measures, its faults.

    Run again, it reads only what is new or has changed; and after a run that was killed, only what that had not read.
    """
    from monai_unlearn.index import build, pseudonyms, report
    from monai_unlearn.index.scan import extra_tags, scan
    from monai_unlearn.index.tables import join

    names = None if pseudonymise is None else pseudonyms.Pseudonyms.read(pseudonymise, apart_from=out)
    request = build.BuildRequest(
        sources=tuple(sources),
        out=out,
        keys=join.pair_keys(table or (), key or ()),
        label=label,
        patient=patient,
        units=build.pair_units(unit or ()),
        measures=tuple(measures or ()),
        mask_labels=mask_labels,
        scan=scan.ScanOptions.of(
            reader=reader,
            workers=workers,
            dask=dask,
            decode_check=decode_check,
            pseudonyms=names,
            extra_tags=extra_tags.ExtraTags.of(tag or (), raw_values=raw_values, pseudonyms=names),
        ),
    )
    done = build.build(request, track=report.track)
    emit(done.document(), as_json=as_json, render=lambda: report.render(done))
    if strict and done.faults:
        typer.echo("Error: files have faults, and --strict was given. The index is written.", err=True)
        raise typer.Exit(int(ExitCode.BAD_INPUT))
