"""Which files contain measures, recognised by their content; a further kind is one more entry in `READERS`."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydicom.filereader import read_file_meta_info

from monai_unlearn.errors import UnlearnError
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.measures import dicom_seg, dicom_sr, nifti_mask
from monai_unlearn.index.measures.reading import FaultyMeasuresError, MeasureFault, Reading
from monai_unlearn.index.readers import HEAD, FaultyFileError, dicom, nifti

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monai_unlearn.index.listing import Listed
    from monai_unlearn.index.measures.labels import MaskLabels

    Settle = Callable[[Sequence[Any], MaskLabels], list[tuple[Reading, ...]]]


@dataclass(frozen=True, kw_only=True)
class Reader:
    """How files of one kind are read.

    Attributes:
        kind: The name of the kind in reports, and the origin of its columns.
        sop_classes: The DICOM storage classes that it reads; none if its files are NIfTI.
        read: Returns the content of the file at a path.
        settle: Turns the contents of all files into the readings of each: names and absent labels depend on all files.
    """

    kind: str
    sop_classes: tuple[str, ...] = ()
    read: Callable[[Path], Any]
    settle: Settle


READERS = (
    Reader(kind=nifti_mask.KIND, read=nifti_mask.read, settle=nifti_mask.settle),
    Reader(
        kind=dicom_seg.KIND,
        sop_classes=dicom_seg.SOP_CLASSES,
        read=dicom_seg.read,
        settle=lambda readings, _: list(readings),
    ),
    Reader(kind=dicom_sr.KIND, sop_classes=dicom_sr.SOP_CLASSES, read=dicom_sr.read, settle=dicom_sr.settle),
)


def read_measures(file: Listed) -> tuple[Reader, Any]:
    """Read a file of measures.

    Returns:
        The reader of its kind, and what it returned.

    Raises:
        FaultyMeasuresError: The file contains no measures, or has a fault.
        IndexReadError: The package that reads it is not installed.
    """
    if file.fault is not None:
        raise FaultyMeasuresError(file.fault)
    path = Path(file.path)
    # pydicom and highdicom warn about malformed values; the fault already reports them.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            reader = _reader(path)
            return reader, reader.read(path)
        except (FaultyMeasuresError, UnlearnError):
            raise
        except FaultyFileError as error:
            raise FaultyMeasuresError(error.fault) from None
        except PermissionError:
            raise FaultyMeasuresError(Fault.PERMISSION_DENIED) from None
        except RecursionError:
            raise FaultyMeasuresError(Fault.TOO_DEEP) from None
        except Exception:  # noqa: BLE001 - malformed bytes may raise anything; the file is counted and reported
            raise FaultyMeasuresError(Fault.UNREADABLE) from None


def _reader(path: Path) -> Reader:
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    if not head:
        raise FaultyMeasuresError(Fault.EMPTY_FILE)
    if dicom.recognises(head):
        class_uid = str(read_file_meta_info(path).get("MediaStorageSOPClassUID", ""))
        found = [reader for reader in READERS if class_uid in reader.sop_classes]
    else:
        found = [reader for reader in READERS if nifti.recognises(head) and not reader.sop_classes]
    if not found:
        raise FaultyMeasuresError(MeasureFault.NOT_MEASURES)
    return found[0]
