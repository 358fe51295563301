"""The row of every file of the cases of hospitals: what each says, and what is noted about it."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import pytest

from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.index.fast_readers import Reader
from monai_unlearn.index.scan.extra_tags import ExtraTags
from monai_unlearn.index.scan.options import ScanOptions

CASES = os.environ.get("MONAI_UNLEARN_CASES")
pytestmark = pytest.mark.skipif(CASES is None, reason="MONAI_UNLEARN_CASES does not name the folder of cases")

BUILT = dt.date(2026, 5, 1)
DEVICE, AGE, LATERALITY = ("ManufacturerModelName",), ("PatientAge", "faults", "invalid"), ("laterality", "faults")
DATE = ("StudyDate", "faults", "invalid", "partial")
REGION = "AnatomicRegionSequence.CodeMeaning"
MISC = ("SoftwareVersions", "ProtocolName", "AccessionNumber", "OperatorsName", REGION, "SliceThickness")
TAGS = (*MISC[2:5], "ContrastBolusAgent", "InstitutionalDepartmentName")

# By folder: the columns, and by file what they hold.
EXPECTED = {
    "consent": (
        ("patient", "faults"),
        {
            "c0": ("0012345", None),
            "c1": ("0012346", None),
            "c2": ("12345", None),
            "c3": ("MRN-0077", None),
            "c4": ("mrn-0077", None),
            "c5": ("A 17", None),
            "c6": ("A17", None),
            "c7": ("0099", None),  # without its padding
        },
    ),
    "device": (
        DEVICE,
        {
            "d0": ("CIRRUS HD-OCT 5000",),
            "d1": ("Cirrus HD-OCT 5000",),
            "d2": ("Cirrus HD-OCT 5000",),  # without its padding
            "d3": ("Cirrus HD-OCT  5000",),
            "d4": ("CIRRUS_HD-OCT_5000",),
            "d5": ("Cirrus 5000",),
            "d6": ("CirrusHDOCT5000",),
            "d7": ("Cirrus HD\u2011OCT 5000",),
            "d8": ("Spectralis",),
        },
    ),
    "issuer": (
        ("patient", "faults"),
        {
            "a": ("1001", "patient_with_two_sexes\\patient_with_two_issuers"),
            "b": ("1001", "patient_with_two_sexes\\patient_with_two_issuers"),
            "c": ("2002", None),
        },
    ),
    "other": (
        ("patient", "patient_ids"),
        {"a": ("NEW-7", "NEW-7\\OLD-7"), "b": ("NEW-7", "NEW-7\\OLD-7"), "c": ("X-9", "X-9")},
    ),
    "lat": (
        LATERALITY,
        {
            "l_image": ("L", None),
            "l_series": ("L", None),
            "l_frame_oct": ("L", None),
            "l_descr": (None, None),  # a description is not read
            "l_os": ("L", None),
            "l_small": ("L", None),
            "conflict": (None, "contradicting_laterality"),
            "both": ("B", None),
            "r": ("R", None),
        },
    ),
    "age": (
        AGE,
        {
            "y": (12.0, None, None),
            "m": (1.5, None, None),
            "birth": (None, None, None),  # `age` falls back on the birth date where it is indexed
            "plain": (None, "invalid_age", "PatientAge"),
            "anon0": (0.0, "implausible_age", None),
            "999": (999.0, "implausible_age", None),
            "89p": (90.0, None, None),
            "adult": (45.0, None, None),
        },
    ),
    "date": (
        DATE,
        {
            "dt_zone": ("2019-01-01", None, None, None),
            "dt_month": ("2019-01-05", "partial_date", None, "AcquisitionDateTime=2018-12-01/2018-12-31"),
            "placeholder": ("1900-01-01", "implausible_date", None, None),
            "year0095": ("0095-07-24", "implausible_date", None, None),
            "future": ("2999-12-31", "implausible_date", None, None),
            "acq_after": ("2020-01-01", None, None, None),
            "range": (None, "invalid_date", "StudyDate", None),
            "ok2018": ("2018-07-01", None, None, None),
            "ok2020": ("2020-07-01", None, None, None),
            "acq_placeholder": ("2020-01-01", "implausible_date", None, None),
        },
    ),
    "dup": (
        ("patient", "faults"),
        {
            "a_old": ("U1", "conflicting_duplicate"),
            "z_corrected": ("U2", "conflicting_duplicate"),
            "other": ("U2", None),
            "keep": ("U3", None),
        },
    ),
    "anon": (
        ("patient", "faults"),
        {**dict.fromkeys(("x0", "x1", "x2"), (None, "placeholder_patient_id")), "x3": ("Q1", None)},
    ),
    "misc": (
        (*MISC, "ContrastBolusAgent", "InstitutionalDepartmentName"),
        {
            "sw": (
                *("6.0.4\\BOOT 2", "Macula  Cube 512x128", "0004711", "Op^One", "Retina", 1.5),
                *("Fluorescein", "Eye"),
            ),
            "plain": (None, None, "0005000", "Op^Two", None, 3.0, None, None),
        },
    ),
}


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases")
    # It changes settings of pydicom, so it runs by itself.
    subprocess.run([sys.executable, str(Path(CASES or "") / "dicom_trouble.py"), str(folder)], check=True)
    return folder


def test_every_case_is_here(cases):
    found = {folder.name: {path.stem for path in folder.glob("*.dcm")} for folder in cases.iterdir()}
    assert found == {name: set(rows) for name, (_, rows) in EXPECTED.items()}


@pytest.mark.parametrize("reader", [Reader.AUTO, Reader.PYDICOM])
@pytest.mark.parametrize("folder", EXPECTED)
def test_each_row_has_the_right_values(folder, reader, cases, tmp_path):
    columns, expected = EXPECTED[folder]
    tags = ExtraTags.of(TAGS if folder == "misc" else (), raw_values=False, pseudonyms=None)
    options = ScanOptions(workers=1, reader=reader, extra_tags=tags)
    request = BuildRequest(sources=(cases / folder,), out=tmp_path / "index", scan=options, built=BUILT)
    frame = build(request, track=iter).index.frame(["path", *columns]).astype(object)
    frame = frame.where(frame.notna(), None)
    rows = {Path(path).stem: tuple(map(_plain, values)) for path, *values in frame.itertuples(index=False)}
    assert rows == expected


def _plain(value):
    return value.isoformat() if isinstance(value, dt.date) else value
