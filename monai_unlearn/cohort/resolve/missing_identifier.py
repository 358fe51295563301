"""Images without a PatientID, StudyInstanceUID or SeriesInstanceUID: which rows of a cohort those are.

What the index stores of such an image, and its fault, is decided in `index/patients.py`. What follows in a cohort:

- A scope wider than the image cannot extend to them, and nobody can rule out that they belong to a patient (study,
  series) who must be forgotten. So under such a scope they never remain (`partition.py`).
- A sample by patient cannot draw them. Those that the rules select become undetermined, or are forgotten with
  `unknown: forget` (`partition.py`).
- A split is assigned to each of them on its own (`split.py`).
- They count as no patient, study or series in attrition and previews.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from monai_unlearn.cohort.query.answers import CategoricalColumn, Mask


def lacks_identifier(column: CategoricalColumn) -> Mask:
    """Return which rows have no value in an identifier's column, shape (rows,).

    An empty text, or one of white space alone, is no identifier either: `CategoricalColumn.of` encodes it as missing.
    """
    missing: Mask = column.codes < 0
    return missing


def patients_of(frame: pd.DataFrame) -> pd.Series[str]:
    """Return the `patient` of each row of an index frame, missing where it is empty or white space."""
    patients = frame["patient"].astype("string")
    named: pd.Series[str] = patients.where(patients.str.strip().ne("").fillna(value=False))
    return named
