"""`monai-unlearn index`: build the image index."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from monai_unlearn.cli.command import AsJson, Command, ShowPaths, emit
from monai_unlearn.cli.index_options import IncludeDerived, KeepWord, PatientKeyOption  # noqa: TC001 - Typer evaluates the annotations
from monai_unlearn.errors import ExitCode
from monai_unlearn.terminal import say

app = typer.Typer(help="Build the index of images that cohorts are chosen from.", no_args_is_help=True)

_Sources = Annotated[list[Path], typer.Argument(metavar="SOURCE", help="Folders or files of images.")]
_Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder of the index.")]
_Tables = Annotated[
    list[Path] | None,
    typer.Option("--table", metavar="FILE", help="A CSV or Parquet file about the images; can be repeated."),
]
_Keys = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        metavar="COLUMN[=FIELD]",
        help="How the table is matched: its COLUMN with a FIELD of the index (file_name, file_stem, "
        "path, image_id, patient, …). Without FIELD: image_id if the values are UIDs, otherwise file_name.",
    ),
]
_Delimiter = Annotated[
    str | None,
    typer.Option("--delimiter", metavar="C", help="What separates the values of the tables, such as ';', or tab."),
]
_Label = Annotated[str | None, typer.Option("--label", metavar="FIELD", help="The column that contains the class.")]
_Patient = Annotated[
    str | None,
    typer.Option("--patient", metavar="COLUMN", help="The table column that names the patient of every image."),
]
_Units = Annotated[
    list[str] | None,
    typer.Option("--unit", metavar="COLUMN=UNIT", help="The unit of a table's column, such as width=mm."),
]
_Measures = Annotated[
    list[Path] | None,
    typer.Option(
        "--measures",
        metavar="PATH",
        help="A file or folder of NIfTI masks, DICOM segmentations or DICOM measurement reports; can be repeated. "
        "Their measures become columns: volumes, centroids, asymmetries, reported numbers.",
    ),
]
_MaskLabels = Annotated[
    Path | None,
    typer.Option("--mask-labels", metavar="FILE", help="JSON or YAML with the labels of NIfTI masks: {liver: 1, …}."),
]
_Reader = Annotated[
    str,
    typer.Option(
        "--reader",
        metavar="auto|plain|pydicom|gdcm",
        help="The reader of DICOM files that is tried first; pydicom reads all unusual files. All give the same rows.",
    ),
]
_Workers = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", min=1, help="The number of processes that read; default: one per core."),
]
_Dask = Annotated[
    str | None,
    typer.Option(
        "--dask",
        metavar="ADDRESS",
        help="Read on the workers of this dask scheduler, which must see the same files; or `local`: on this machine.",
    ),
]
_DecodeCheck = Annotated[bool, typer.Option("--decode-check", help="Also decode all pixels: finds more faults, slow.")]
_PixelDigest = Annotated[
    bool,
    typer.Option(
        "--pixel-digest",
        help="Also keep a digest of each image's pixels, which every later run compares; reads all files whole.",
    ),
]
_Pseudonymise = Annotated[
    Path | None,
    typer.Option(
        "--pseudonymise",
        metavar="KEYFILE",
        help="Replace identifiers of patients, studies and accessions by hashes under the key in this file. Paths, "
        "free text and personal columns of tables must be dropped or kept: see --drop and --keep.",
    ),
]
_Drop = Annotated[
    list[str] | None,
    typer.Option("--drop", metavar="COLUMN", help="With --pseudonymise: do not index this column; can be repeated."),
]
_Keep = Annotated[
    list[str] | None,
    typer.Option(
        "--keep", metavar="COLUMN", help="With --pseudonymise: index this column as it is, because it names nobody."
    ),
]
_Tags = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        metavar="TAG",
        help="Index a further DICOM tag, such as AccessionNumber, TransferSyntaxUID, "
        "AnatomicRegionSequence.CodeMeaning or the private '(0019,\"GEMS_ACQU_01\",10)'; can be repeated.",
    ),
]
_RawValues = Annotated[
    bool, typer.Option("--raw-values", help="Keep the raw text of invalid values, in the column raw_values.")
]
_Strict = Annotated[bool, typer.Option("--strict", help="End with exit code 2 if any file has a fault.")]


@app.callback()
def _group() -> None:
    pass


@app.command("build", cls=Command)
def build_index(  # noqa: PLR0913 - in Typer, each option is a parameter
    sources: _Sources,
    *,
    out: _Out,
    table: _Tables = None,
    key: _Keys = None,
    delimiter: _Delimiter = None,
    keep_word: KeepWord = None,
    label: _Label = None,
    patient: _Patient = None,
    patient_key: PatientKeyOption = "PatientID",
    include_derived: IncludeDerived = False,
    unit: _Units = None,
    measures: _Measures = None,
    mask_labels: _MaskLabels = None,
    reader: _Reader = "auto",
    workers: _Workers = None,
    dask: _Dask = None,
    decode_check: _DecodeCheck = False,
    pixel_digest: _PixelDigest = False,
    pseudonymise: _Pseudonymise = None,
    drop: _Drop = None,
    keep: _Keep = None,
    tag: _Tags = None,
    raw_values: _RawValues = False,
    strict: _Strict = False,
    paths: ShowPaths = False,
    as_json: AsJson = False,
) -> None:
    """Index images: one row per image, with its DICOM tags, table columns, measures, and faults.

    A second run reads only new and changed files; a run after a killed one continues where that stopped.
    """
    # An index needs no linear algebra, and a process without its threads can be forked. Before numpy is imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from monai_unlearn.light_imports import light_arrow, light_pydicom

    light_arrow()
    light_pydicom()
    from monai_unlearn.index import build, build_view, column_roles, pseudonyms
    from monai_unlearn.index.patient_key import PatientKey
    from monai_unlearn.index.scan.decisions import Decisions
    from monai_unlearn.index.scan.extra_tags import ExtraTags
    from monai_unlearn.index.scan.options import ScanOptions
    from monai_unlearn.index.tables.delimiter import parse_delimiter
    from monai_unlearn.index.tables.kept_words import KeptWords
    from monai_unlearn.index.tables.key import pair_keys

    names = None if pseudonymise is None else pseudonyms.Pseudonyms.read(pseudonymise, apart_from=out)
    request = build.BuildRequest(
        sources=tuple(sources),
        out=out,
        keys=pair_keys(table or (), key or ()),
        delimiter=parse_delimiter(delimiter),
        kept=KeptWords.parse(keep_word or ()),
        label=label,
        patient=patient,
        patient_key=PatientKey.parse(patient_key),
        include_derived=include_derived,
        units=column_roles.parse_units(unit or ()),
        measures=tuple(measures or ()),
        mask_labels=mask_labels,
        scan=ScanOptions.of(
            reader=reader,
            workers=workers,
            dask=dask,
            decode_check=decode_check,
            pixel_digest=pixel_digest,
            pseudonyms=names,
            decisions=Decisions.parse(drop or (), keep or (), is_pseudonymised=names is not None),
            extra_tags=ExtraTags.of(tag or (), raw_values=raw_values, pseudonyms=names),
        ),
    )
    done = build.build(request, track=build_view.track)
    done = done if paths else done.without_paths()
    emit(done.document(), as_json=as_json, render=lambda: build_view.render(done))
    if strict and done.faults:
        say("Error: files have faults, and --strict was given. The index is written.", err=True)
        raise typer.Exit(int(ExitCode.BAD_INPUT))
