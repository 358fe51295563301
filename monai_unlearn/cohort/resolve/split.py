"""Assign images to train, validation and test: by patient, seeded, stable when images are added."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.cohort.resolve.missing_identifier import patients_of
from monai_unlearn.errors import DataError
from monai_unlearn.vocabulary.counted import counted
from monai_unlearn.vocabulary.parts import SPLITS

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

    from monai_unlearn.cohort.query.answers import CategoricalColumn, Mask

_SPELLINGS = {**{split: split for split in SPLITS}, "training": "train", "val": "validation", "testing": "test"}


@dataclass(frozen=True, kw_only=True)
class SplitRule:
    """Assigns patients to splits by a hash of the seed and the patient.

    A patient's split depends only on the seed and the patient, so adding images never moves an earlier one. An image
    without a patient is assigned on its own, because its patient is not known. If the index has a column `split`,
    that column decides instead; where it names no validation image, the hash takes them from the training patients, so
    that a published split of train and test can be followed.

    >>> rule = SplitRule(seed=0, test_fraction=0.2)
    >>> [rule.of(patient) for patient in ("patient-1", "patient-2", "patient-3")]
    ['test', 'train', 'train']

    Attributes:
        seed: Another seed gives another assignment.
        test_fraction: Share of patients to test on, in (0, 1).
        validation_fraction: Share of patients to choose settings on, in [0, 1); of the training patients where a column
            says which they are.
    """

    seed: int = 0
    test_fraction: float = 0.2
    validation_fraction: float = 0.0

    def __post_init__(self) -> None:
        if not (0 < self.test_fraction < 1 and 0 <= self.validation_fraction < 1 - self.test_fraction):
            raise DataError(
                "split: expected 0 < test_fraction < 1 and 0 <= validation_fraction < 1 - test_fraction, got "
                f"test_fraction {self.test_fraction} and validation_fraction {self.validation_fraction}."
            )

    def to_dict(self) -> dict[str, float]:
        """Return the rule as plain values."""
        return asdict(self)

    def of(self, unit: str) -> str:
        """Return the split of one patient, or of one image without a patient."""
        position = self._position(unit)
        if position < self.test_fraction:
            return "test"
        if position < self.test_fraction + self.validation_fraction:
            return "validation"
        return "train"

    def assign_codes(self, patient: CategoricalColumn, images: pa.Array, rows: Mask) -> npt.NDArray[np.int8]:
        """Return the splits of rows as their numbers in `SPLITS`: each patient is hashed once.

        Args:
            patient: The patient of each row.
            images: The identifiers of the chosen rows.
            rows: The chosen rows, shape (rows,).

        Returns:
            What `assign` returns where no column `split` decides, shape (chosen rows,).
        """
        number = {split: np.int8(code) for code, split in enumerate(SPLITS)}
        codes = patient.codes[rows]
        known = np.flatnonzero(np.bincount(codes[codes >= 0], minlength=len(patient.texts)))
        of_patient = np.zeros(len(patient.texts) + 1, dtype=np.int8)
        of_patient[known] = [number[self.of(text)] for text in patient.texts.take(known).to_pylist()]
        splits = of_patient[codes]
        alone = np.flatnonzero(codes < 0)
        splits[alone] = [number[self.of(f"image:{image}")] for image in images.take(alone).to_pylist()]
        return splits

    def assign(self, frame: pd.DataFrame) -> pd.Series[str]:
        """Return the split of every row of an index frame with `image_id`, `patient` and maybe `split`.

        Raises:
            DataError: A `split` column holds another word, has gaps, or splits a patient.
        """
        patients = patients_of(frame)
        units = patients.where(patients.notna(), "image:" + frame["image_id"].astype(str)).astype(str)
        if "split" not in frame.columns:
            return units.map({unit: self.of(unit) for unit in units.unique()}).astype(str)
        splits = _from_column(frame)
        if "validation" in set(splits):
            return splits
        taken = {unit for unit in units.unique() if self._position(unit) < self.validation_fraction}
        return splits.mask((splits == "train") & units.isin(taken), "validation")

    def _position(self, unit: str) -> float:
        """Return where the hash puts a patient, or an image without one, uniformly in [0, 1)."""
        digest = hashlib.sha256(f"{self.seed}:{unit}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64


def _from_column(frame: pd.DataFrame) -> pd.Series[str]:
    splits = frame["split"].astype("string").str.strip().str.lower().map(_SPELLINGS)
    if missing := int(splits.isna().sum()):
        raise DataError(
            f"the index's column 'split': expected train, validation or test, got something else for {missing:,} of "
            f"{counted(len(frame), 'image')}. Fill the column in the table, or leave it out to split by patient."
        )
    straddling = int(splits.groupby(patients_of(frame)).nunique().gt(1).sum())
    if straddling:
        raise DataError(
            f"the index's column 'split' puts {counted(straddling, 'patient')} into more than one split. Give every "
            "patient one split, or leave the column out to split by patient."
        )
    return splits
