"""From what the files say to the rows of an index: ids, patients, and which files stand twice."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pandas as pd

from monai_unlearn.errors import IndexReadError
from monai_unlearn.fields import Kind, vocabulary
from monai_unlearn.index.faults import Fault, usable_faults
from monai_unlearn.index.listing import Listed, looks_like_image
from monai_unlearn.index.store import PANDAS_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

_FROM_TAGS = {"patient": "PatientID", "study": "StudyInstanceUID", "series": "SeriesInstanceUID"}


def assemble(files: pa.Table, listed: Sequence[Listed]) -> pd.DataFrame:
    """Return the index's rows, sorted by path, without the files that nobody would take for images.

    Besides the columns of the index there is `relative`, the path from its source on, to match tables by.

    Args:
        files: What the files say, one row a file, sorted by path.
        listed: The same files, in the same order.

    Raises:
        IndexReadError: Two plain images of different sources have the same path within their source.
    """
    frame: pd.DataFrame = files.to_pandas(types_mapper=PANDAS_TYPES.get)
    frame["relative"] = pd.array([file.relative for file in listed], dtype="string")
    frame = frame[_is_row(frame, listed)].reset_index(drop=True)
    digests = [hashlib.sha256(path.encode()).hexdigest()[:32] for path in frame["relative"]]
    frame["image_id"] = frame["SOPInstanceUID"].fillna(pd.Series(digests, dtype="string"))
    _refuse_same_relative_path(frame)
    _mark_duplicates(frame)
    frame = frame.rename(columns={tag: name for name, tag in _FROM_TAGS.items()}).drop(columns="SOPInstanceUID")
    return frame.drop(columns=[name for name in vocabulary().dicom if name not in tag_kinds(frame)])


def tag_kinds(frame: pd.DataFrame) -> Mapping[str, Kind]:
    """Return the DICOM keywords that the rows carry, with their kinds: none where no file is DICOM."""
    return vocabulary().dicom if (frame["format"] == "dicom").any() else {}


def is_usable(frame: pd.DataFrame) -> pd.Series[bool]:
    """Return which rows count as images."""
    return frame["fault"].isna() | frame["fault"].isin(usable_faults())


def mark_missing_patients(frame: pd.DataFrame) -> None:
    """Mark the DICOM images that belong to no patient; in place."""
    lacking = (frame["format"] == "dicom") & frame["patient"].isna() & frame["fault"].isna()
    frame.loc[lacking, "fault"] = Fault.MISSING_PATIENT_ID.code


def _is_row(frame: pd.DataFrame, listed: Sequence[Listed]) -> pd.Series[bool]:
    named = [file.named or looks_like_image(file.path) for file in listed]
    return frame["format"].notna() | pd.Series(named, index=frame.index, dtype=bool)


def _refuse_same_relative_path(frame: pd.DataFrame) -> None:
    plain = frame[(frame["format"] != "dicom") & frame["fault"].isna()]
    twice = plain[plain.duplicated("image_id", keep=False)].sort_values("image_id", kind="stable")
    if len(twice):
        first, second = twice["path"].iloc[:2]
        raise IndexReadError(
            f"{first} and {second} have the same path within their source, which names a plain image. "
            "Give the folder that holds both sources instead."
        )


def _mark_duplicates(frame: pd.DataFrame) -> None:
    sound = frame[(frame["format"] == "dicom") & frame["fault"].isna()]
    later = sound.index[sound.duplicated("SOPInstanceUID", keep="first")]
    frame.loc[later, "fault"] = Fault.DUPLICATE_SOP_INSTANCE_UID.code
