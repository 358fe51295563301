"""Which images train a model and which test it: by patient, seeded, stable when data are added."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from enum import Enum
from typing import TYPE_CHECKING

from monai_unlearn.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


class Split(str, Enum):
    """What an image is used for."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


_SPELLINGS = {
    **{split.value: split.value for split in Split},
    "training": Split.TRAIN.value,
    "val": Split.VALIDATION.value,
    "testing": Split.TEST.value,
}


@dataclass(frozen=True, kw_only=True)
class SplitRule:
    """Deals patients to splits by a hash of seed and patient.

    A patient's split depends on nothing but the seed and the patient, so that adding images never moves
    an earlier one. An image without a patient is dealt by itself: its patient cannot be kept whole.
    Where an index has a column `split`, that column decides instead.

    Args:
        seed: Another seed deals anew.
        test_fraction: Share of patients to test on, in (0, 1).
        validation_fraction: Share of patients to choose settings on, in [0, 1).
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
        digest = hashlib.sha256(f"{self.seed}:{unit}".encode()).digest()
        position = int.from_bytes(digest[:8], "big") / 2**64
        if position < self.test_fraction:
            return Split.TEST.value
        if position < self.test_fraction + self.validation_fraction:
            return Split.VALIDATION.value
        return Split.TRAIN.value

    def assign(self, frame: pd.DataFrame) -> pd.Series[str]:
        """Return the split of every row of an index frame with `image_id`, `patient` and maybe `split`.

        Raises:
            DataError: A `split` column holds another word, has gaps, or splits a patient.
        """
        if "split" in frame.columns:
            return _given(frame)
        patients = _patients(frame)
        units = patients.where(patients.notna(), "image:" + frame["image_id"].astype(str))
        return units.astype(str).map({unit: self.of(unit) for unit in units.astype(str).unique()}).astype(str)


def _patients(frame: pd.DataFrame) -> pd.Series[str]:
    """Return each row's patient: white space names nobody, else strangers would be dealt as one."""
    patients = frame["patient"].astype("string")
    named: pd.Series[str] = patients.where(patients.str.strip().ne("").fillna(value=False))
    return named


def _given(frame: pd.DataFrame) -> pd.Series[str]:
    splits = frame["split"].astype("string").str.strip().str.lower().map(_SPELLINGS)
    if missing := int(splits.isna().sum()):
        raise DataError(
            f"the index's column 'split' says neither train, validation nor test for {missing} of "
            f"{len(frame)} images. Fill the column in the table, or leave it out to split by patient."
        )
    straddling = int(splits.groupby(_patients(frame)).nunique().gt(1).sum())
    if straddling:
        raise DataError(
            f"the index's column 'split' puts {straddling} patients into more than one split. Give every "
            "patient one split, or leave the column out to split by patient."
        )
    return splits
