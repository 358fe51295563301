"""Small indexes from a few columns of values, and specs from a few keys, for tests of cohorts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.index import Index, write_index

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from monai_unlearn.vocabulary.fields import Kind

HEAD = "schema_version: 1\nname: test\nreason: other\n"


def make_index(
    directory: Path,
    columns: Mapping[str, Sequence[Any]],
    kinds: Mapping[str, Kind] | None = None,
    *,
    label: str | None = None,
    units: Mapping[str, str] | None = None,
    patient_from: str | None = None,
) -> Index:
    """Write an index of these columns; images are named i00, i01, …, each of a patient of its own."""
    rows = len(next(iter(columns.values())))
    names = [f"{number:02d}" for number in range(rows)]
    base = {
        "image_id": [f"i{name}" for name in names],
        "path": [f"{name}.png" for name in names],
        "patient": [f"p{name}" for name in names],
        "study": [f"s{name}" for name in names],
        "series": [f"e{name}" for name in names],
    }
    frame = pd.DataFrame({name: pd.Series(list(values), dtype=object) for name, values in {**base, **columns}.items()})
    provenance = {} if patient_from is None else {"patient_from": patient_from}
    return write_index(frame, directory, kinds=kinds or {}, label=label, units=units, provenance=provenance)


def make_spec(forget: str, more: str = "") -> CohortSpec:
    """Return a spec of this YAML value of `forget`, and further lines of YAML."""
    return CohortSpec.parse(f"{HEAD}forget: {forget}\n{more}", source="test.yaml")
