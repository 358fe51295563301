"""Options that both commands that build an index have."""

from __future__ import annotations

from typing import Annotated

import typer

PatientKeyOption = Annotated[
    str,
    typer.Option(
        "--patient-key",
        metavar="TAG,…",
        help="What identifies a patient: PatientID alone, or with IssuerOfPatientID, InstitutionName or both, where "
        "two hospitals may give the same PatientID.",
    ),
]
KeepWord = Annotated[
    list[str] | None,
    typer.Option(
        "--keep-word",
        metavar="[COLUMN=]WORD",
        help="Read a word such as None or NA as a value, not as missing, in one column or in all; can be repeated.",
    ),
]
IncludeDerived = Annotated[
    bool,
    typer.Option(
        "--include-derived",
        help="Count segmentations, doses and other derived objects that have pixels as images.",
    ),
]
