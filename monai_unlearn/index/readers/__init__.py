"""Readers: one function takes the path of a file to its row, whatever the file is."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from monai_unlearn.index.faults import Fault, fault_of_os_error
from monai_unlearn.index.readers import dicom, image_table, nifti
from monai_unlearn.index.readers.row import FaultyFileError, Row, file_columns

if TYPE_CHECKING:
    from pathlib import Path

HEAD = max(dicom.HEAD, nifti.HEAD)


def read_file(path: Path) -> Row:
    """Read what the index holds of one file: its format, its fault, and its tags where it is DICOM.

    Every file has a row: whatever is wrong with it becomes the row's `fault`. What is missing in the row is
    null. `format` is missing where the file is neither DICOM, NIfTI nor another image.
    """
    # Malformed values make pydicom and Pillow warn; the row says it, by a fault or a null.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _read(path)
        except FaultyFileError as fault:
            return {**fault.row, "fault": fault.fault.code}
        except OSError as error:
            return {"fault": fault_of_os_error(error).code}


def _read(path: Path) -> Row:
    with path.open("rb") as stream:
        head = stream.read(HEAD)
        if not head:
            raise FaultyFileError(Fault.EMPTY_FILE)
        stream.seek(0)
        reader = next((reader for reader in (dicom, nifti) if reader.recognises(head)), image_table)
        try:
            row: Row = reader.read(stream)
        except FaultyFileError:
            raise
        except OSError as error:
            if error.errno is not None:  # the operating system's word; without a number it is a library's
                raise
            raise FaultyFileError(Fault.UNREADABLE, {"format": reader.FORMAT}) from None
        except RecursionError:
            raise FaultyFileError(Fault.TOO_DEEP, {"format": reader.FORMAT}) from None
        except Exception:  # noqa: BLE001 - malformed bytes raise anything; the file gets a row all the same
            raise FaultyFileError(Fault.UNREADABLE, {"format": reader.FORMAT}) from None
    return row


__all__ = ["HEAD", "FaultyFileError", "Row", "file_columns", "read_file"]
