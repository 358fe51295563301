"""Slices of patients and images that figures are broken down by: sex, age band, device, site, year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from monai_unlearn.evaluation.prediction_table import SLICE
from monai_unlearn.vocabulary.fields import vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable

    from monai_unlearn.evaluation.prediction_table import PredictionTable

# The first year of each band, in years; what is younger than the first of them has no band.
AGE_BANDS = {"0-17": 0, "18-39": 18, "40-59": 40, "60-79": 60, "80+": 80}
SEXES = {"M": "M", "F": "F", "O": "O"}
YEAR = r"^(\d{4})"

MIN_PATIENTS = 10
"""A slice with fewer patients is counted and has no figures: they would be about single people, and noise."""


def slice_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns `slice:NAME` of an index's rows, as text or null, in the order of the rows.

    Args:
        frame: Rows of an index with whichever columns it has. `sex`, `age`, `device`, `institution` and `acquired` are
            the aliases of `vocabulary/fields.yaml`: the first keyword that an image has counts, and a column of the
            alias' own name before them.

    >>> rows = pd.DataFrame({"PatientSex": ["F", None], "PatientAge": [45.0, 80.0], "StudyDate": ["2017-03-04", None]})
    >>> slice_columns(rows).to_dict("list")
    {'slice:sex': ['F', None], 'slice:age_band': ['40-59', '80+'], 'slice:year': ['2017', None]}
    """
    found: dict[str, Any] = {}
    for name, (alias, band) in _BANDS.items():
        values = _first(frame, alias)
        if values is not None:
            found[f"{SLICE}{name}"] = [None if pd.isna(value) else str(value) for value in band(values)]
    return pd.DataFrame(found, index=frame.index)


def slice_rows(table: PredictionTable, name: str) -> dict[str, Any]:
    """Return the rows of each value of a slice, as numbers of rows, in the order of the values.

    Raises:
        KeyError: The table has no such slice.
    """
    values = table.frame[SLICE + name]
    return {str(value): rows.to_numpy() for value, rows in sorted(values.dropna().groupby(values).groups.items())}


def _first(frame: pd.DataFrame, alias: str) -> pd.Series[Any] | None:
    """Return the value of the first of an alias' columns that each row has; None if there is no such column."""
    columns = [name for name in (alias, *vocabulary().aliases[alias]) if name in frame.columns]
    if not columns:
        return None
    first = frame[columns[0]].astype(object)
    for name in columns[1:]:
        first = first.where(first.notna(), frame[name])
    return first


def _age_band(values: pd.Series[Any]) -> pd.Series[Any]:
    edges = [*AGE_BANDS.values(), float("inf")]
    return pd.cut(pd.to_numeric(values, errors="coerce"), edges, right=False, labels=list(AGE_BANDS))


_BANDS: dict[str, tuple[str, Callable[[pd.Series[Any]], pd.Series[Any]]]] = {
    "sex": ("sex", lambda values: values.map(SEXES)),
    "age_band": ("age", _age_band),
    "device": ("device", lambda values: values),
    "site": ("institution", lambda values: values),
    "year": ("acquired", lambda values: values.astype("string").str.extract(YEAR)[0]),
}
