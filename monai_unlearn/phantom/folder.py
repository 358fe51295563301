"""Write a set of phantom studies to a folder, whole or not at all, with a table of the diagnoses."""

from __future__ import annotations

import csv
from contextlib import contextmanager
from typing import TYPE_CHECKING

from monai_unlearn.errors import InputError
from monai_unlearn.staging import staged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from enum import Enum
    from pathlib import Path

    from monai_unlearn.phantom.devices import Station

LABELS = "labels.csv"
LABEL_COLUMNS = ("SOPInstanceUID", "diagnosis")
LAST_SEED = 2**32 - 1
SEVERITIES = (0.5, 3.0)


def check_numbers(*, patients: int, seed: int, size: int, sizes: tuple[int, int]) -> None:
    """Refuse numbers that no set can be drawn from.

    Args:
        patients: How many patients, at least 1.
        seed: Which set of patients, 0 to 2**32 - 1.
        size: The size of the images, in pixels.
        sizes: The smallest and the largest size that this kind of image can have.

    Raises:
        InputError: A number is out of its range.
    """
    smallest, largest = sizes
    if patients < 1:
        raise InputError(f"Expected at least 1 patient, got {patients}.")
    if not 0 <= seed <= LAST_SEED:
        raise InputError(f"Expected a seed from 0 to {LAST_SEED}, got {seed}.")
    if not smallest <= size <= largest:
        raise InputError(f"Expected a size from {smallest} to {largest} pixels, got {size}.")


def check_severity(severity: float) -> None:
    """Refuse a factor on how marked disease is under which phantoms would no longer be plausible.

    Raises:
        InputError: It is out of its range.
    """
    lowest, highest = SEVERITIES
    if not lowest <= severity <= highest:
        raise InputError(f"Expected a severity from {lowest} to {highest}, got {severity}.")


def check_station(unread: str | None, stations: Iterable[Station]) -> None:
    """Refuse the name of a station that takes no image.

    Raises:
        InputError: No station is called so.
    """
    names = [station.name for station in stations]
    if unread is not None and unread not in names:
        raise InputError(f"Expected one of the stations {', '.join(names)}, got {unread!r}.")


def filed(diagnosis: Enum, station: Station, *, unread: str | None, healthy: Enum) -> str:
    """Return the diagnosis that the table has for an image.

    Args:
        diagnosis: What the image shows.
        station: Where it was taken.
        unread: The station whose images nobody read before they were filed, as healthy, if there is one.
        healthy: The diagnosis of a patient without a disease.
    """
    return str((healthy if station.name == unread else diagnosis).value)


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `out` when the block ends without an error.

    Raises:
        InputError: `out` is not free or cannot be written; nothing is left there then.
    """
    try:
        with staged(out) as folder:
            yield folder
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror}). Choose another folder.") from error


def patient_numbers(patients: int, progress: Callable[[int], None] | None) -> Iterator[int]:
    """Yield the patients' numbers, from 1, and report after each how many are done."""
    for number in range(1, patients + 1):
        yield number
        if progress:
            progress(number)


def write_labels(folder: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write `labels.csv` to the folder, one row per image."""
    with (folder / LABELS).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
