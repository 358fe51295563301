"""Building an index: list, read, assemble, join tables, check, write."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import IndexReadError, did_you_mean
from monai_unlearn.fields import Kind, vocabulary
from monai_unlearn.index.assemble import assemble, is_usable, mark_missing_patients, tag_kinds
from monai_unlearn.index.base_columns import BASE_COLUMNS
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.join import Joined, Key, Match, join_tables
from monai_unlearn.index.listing import Listed, list_files
from monai_unlearn.index.measures import MaskLabels, MeasureMatch, join_measures, refuse_overlap
from monai_unlearn.index.scan import Scan, Track, kept_files, scan
from monai_unlearn.index.write import check_target, write_index

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from monai_unlearn.index.store import Index

_PATIENT_COLUMNS = ("patient_id", "patient", "PatientID", "subject_id", "subject")
_LABEL_COLUMNS = ("label", "diagnosis", "class")


@dataclass(frozen=True, kw_only=True)
class BuildRequest:
    """What to index, and how.

    Attributes:
        sources: Folders and files.
        out: The folder of the index.
        keys: The tables and how they are matched.
        label: The column that carries the class; found by its name where null.
        patient: The column of a table that names the patient of every image.
        units: The units of tables' columns.
        measures: Files and folders of NIfTI masks, DICOM segmentations and DICOM measurement reports.
        mask_labels: The file that names the labels of NIfTI masks.
    """

    sources: tuple[Path, ...]
    out: Path
    keys: tuple[Key, ...] = ()
    label: str | None = None
    patient: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    measures: tuple[Path, ...] = ()
    mask_labels: Path | None = None


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """What a build did.

    Attributes:
        index: The index, written.
        patients: How many patients the usable images have.
        without_patient: How many usable images have none.
        formats: Usable images by format.
        faults: For each fault how many files have it, and one of their paths.
        ignored: How many files nobody would take for images were passed over.
        matches: How each table met the images.
        measures: How the files of each `--measures` did.
        label_found: Whether the label was found by its name rather than named.
        patient_from: The tag or column that patients come from.
        scan: How many files were reused, added, changed, vanished.
    """

    index: Index
    patients: int
    without_patient: int
    formats: Mapping[str, int]
    faults: Mapping[Fault, tuple[int, str]]
    ignored: int
    matches: tuple[Match, ...]
    measures: tuple[MeasureMatch, ...]
    label_found: bool
    patient_from: str | None
    scan: Scan

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "index": str(self.index.directory),
            "digest": self.index.digest,
            "images": self.index.images,
            "rows": self.index.rows,
            "patients": self.patients,
            "images_without_patient": self.without_patient,
            "patient_from": self.patient_from,
            "formats": dict(self.formats),
            "faults": {
                fault.code: {"count": count, "example": path, "usable": fault.usable}
                for fault, (count, path) in self.faults.items()
            },
            "ignored": self.ignored,
            "label": self.index.label,
            "label_found": self.label_found,
            "tables": [match.document() for match in self.matches],
            "measures": [match.document() for match in self.measures],
            "units": dict(self.index.units),
            "files": {
                "reused": self.scan.reused,
                "added": self.scan.added,
                "changed": self.scan.changed,
                "vanished": self.scan.vanished,
            },
        }


def build(request: BuildRequest, *, track: Track) -> BuildReport:
    """Build the index that is asked for, reading only what is new or changed since the last time.

    Args:
        request: What to index, and how.
        track: Passes the files to read through, and shows how far they are.

    Raises:
        IndexReadError: A source, table or measure cannot be used, no image is readable, a file named on its own
            is faulty, or the folder holds something else. Nothing is written then.
    """
    check_target(request.out)
    refuse_overlap(request.measures, request.sources)
    labels = MaskLabels() if request.mask_labels is None else MaskLabels.read(request.mask_labels)
    beside = [request.out, *(key.table for key in request.keys)]
    beside += [] if request.mask_labels is None else [request.mask_labels]
    listing = list_files(request.sources, leave_out=[*beside, *request.measures])
    scanned = scan(listing.files, previous=kept_files(request.out), track=track)
    frame = assemble(scanned.files, listing.files)
    _refuse_named_faults(frame, listing.files)
    _refuse_without_images(frame, request.sources)
    ignored = listing.passed_over + len(listing.files) - len(frame)
    kinds = {**BASE_COLUMNS, **tag_kinds(frame)}
    joined = join_tables(frame, request.keys, kinds)
    units = _units(request.units, joined, frame)
    label = _label(request.label, joined, kinds)
    frame, patient_from = _with_patients(joined, request.patient)
    measured = join_measures(frame, request.measures, labels, leave_out=beside, track=track)
    frame = measured.frame
    index = write_index(
        frame.drop(columns="relative"),
        request.out,
        kinds={**tag_kinds(frame), **joined.kinds, **dict.fromkeys(measured.units, Kind.NUMBER)},
        label=label,
        units={**units, **measured.units},
        origins={**joined.origins, **measured.origins},
        provenance={
            "sources": [path.absolute().as_posix() for path in request.sources],
            "patient_from": patient_from,
            "tables": [match.document() for match in joined.matches],
            "measures": [match.document() for match in measured.matches],
            "ignored": ignored,
        },
        files=scanned.files,
    )
    images = frame[is_usable(frame)]
    return BuildReport(
        index=index,
        patients=images["patient"].nunique(),
        without_patient=int(images["patient"].isna().sum()),
        formats={str(name): int(count) for name, count in images["format"].value_counts().sort_index().items()},
        faults=_faults(frame),
        ignored=ignored,
        matches=joined.matches,
        measures=measured.matches,
        label_found=request.label is None and label is not None,
        patient_from=patient_from,
        scan=scanned,
    )


def _refuse_named_faults(frame: pd.DataFrame, listed: Sequence[Listed]) -> None:
    named = {file.path for file in listed if file.named}
    faulty = frame[frame["path"].isin(named) & ~is_usable(frame)]
    if len(faulty):
        path, code = faulty["path"].iloc[0], faulty["fault"].iloc[0]
        raise IndexReadError(f"{path}: this file {Fault.of(code).sentence} ({code}). Nothing was written.")


def _refuse_without_images(frame: pd.DataFrame, sources: Sequence[Path]) -> None:
    if is_usable(frame).any():
        return
    where = ", ".join(map(str, sources))
    if frame.empty:
        raise IndexReadError(f"{where}: expected DICOM, NIfTI, JPEG, PNG, TIFF or BMP images, found none.")
    counts = ", ".join(f"{count} {fault.code}" for fault, (count, _) in _faults(frame).items())
    raise IndexReadError(f"{where}: no image can be read: {counts}. The first file is {frame['path'].iloc[0]}.")


def _faults(frame: pd.DataFrame) -> dict[Fault, tuple[int, str]]:
    by_code = frame.groupby("fault")["path"].agg(["size", "first"])
    return {
        fault: (int(by_code["size"][fault.code]), str(by_code["first"][fault.code]))
        for fault in Fault
        if fault.code in by_code.index
    }


def _with_patients(joined: Joined, column: str | None) -> tuple[pd.DataFrame, str | None]:
    """Return the rows with their patients, and the tag or column that these come from.

    A column that is asked for names the patient of every image. One that is found by its name does so only
    for plain images, which have no other: identifiers of two origins are never mixed for DICOM.
    """
    if column is not None and column not in joined.texts:
        hint = did_you_mean(column, joined.texts.columns)
        raise IndexReadError(f"--patient {column}: no table has this column.{hint}")
    frame = joined.frame.copy()
    plain = frame["format"] != "dicom"
    origins = [] if plain.all() else ["PatientID"]
    found = next((name for name in _PATIENT_COLUMNS if name in joined.texts), None)
    if column is not None:
        frame["patient"] = joined.texts[column]
        origins = [column]
    elif found is not None and plain.any():
        frame["patient"] = frame["patient"].mask(plain, joined.texts[found])
        origins.append(found)
    mark_missing_patients(frame)
    return frame, ", ".join(origins) or None


def _label(asked: str | None, joined: Joined, kinds: Mapping[str, Kind]) -> str | None:
    if asked is None:
        found = [name for name in joined.kinds if name in _LABEL_COLUMNS]
        return found[0] if len(found) == 1 else None
    names = {**kinds, **joined.kinds}
    if asked not in names:
        raise IndexReadError(f"--label {asked}: the index has no such column.{did_you_mean(asked, names)}")
    return asked


def pair_units(declared: Sequence[str]) -> dict[str, str]:
    """Read each `COLUMN=UNIT` of a command line.

    Raises:
        IndexReadError: One is not of this form, names an unknown unit, or names a column again.
    """
    from monai_unlearn.index.units import known_unit

    units: dict[str, str] = {}
    for text in declared:
        column, _, unit = (part.strip() for part in text.rpartition("="))
        if not column or not unit:
            raise IndexReadError(f"--unit {text}: expected COLUMN=UNIT, such as width=mm.")
        if column in units:
            raise IndexReadError(f"--unit {text}: the column '{column}' has been given a unit already.")
        try:
            units[column] = known_unit(unit)
        except ValueError as error:
            raise IndexReadError(f"--unit {text}: {error}. Write it as UCUM does: mm, mm2, ml, deg, %, 1.") from None
    return units


def _units(declared: Mapping[str, str], joined: Joined, frame: pd.DataFrame) -> dict[str, str]:
    """Return the units of the tables' columns that declare one, and of the DICOM keywords that have one."""
    for column in declared:
        if column not in joined.kinds:
            hint = did_you_mean(column, joined.kinds)
            raise IndexReadError(f"--unit {column}=…: no table has this column.{hint}")
        if joined.kinds[column] is not Kind.NUMBER:
            raise IndexReadError(
                f"--unit {column}=…: expected a column of numbers, got one of kind {joined.kinds[column].value}."
            )
    tags = tag_kinds(frame)
    return {**{keyword: unit for keyword, unit in vocabulary().units.items() if keyword in tags}, **declared}
