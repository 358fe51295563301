"""Readers: one function turns the path of any file into its row."""

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
    """Read what the index contains about one file: its format, its fault, and the tags of a DICOM file.

    Every file has a row: whatever is wrong with it becomes the row's `fault`. What is missing in the row is
    null. `format` is missing if the file is not an image.
    """
    # pydicom and Pillow warn about malformed values; the row already reports them, as a fault or a null.
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
            if error.errno is not None:  # raised by the operating system; a library's own has no number
                raise
            raise FaultyFileError(Fault.UNREADABLE, {"format": reader.FORMAT}) from None
        except RecursionError:
            raise FaultyFileError(Fault.TOO_DEEP, {"format": reader.FORMAT}) from None
        except Exception:  # noqa: BLE001 - malformed bytes may raise anything; the file gets a row in any case
            raise FaultyFileError(Fault.UNREADABLE, {"format": reader.FORMAT}) from None
    return row


__all__ = ["HEAD", "FaultyFileError", "Row", "file_columns", "read_file"]
