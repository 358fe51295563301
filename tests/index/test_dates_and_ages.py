"""From files and tables with odd dates and ages to cohorts: all readers, and the cases that went wrong in hospitals."""

from __future__ import annotations

import datetime as dt
import json
import os
import runpy
import sys
from pathlib import Path

import pytest
from cohort_index import make_spec
from pydicom import config
from same_rows import assert_same

from monai_unlearn.cohort.resolve.resolve import resolve_unguarded
from monai_unlearn.index.build import build
from monai_unlearn.index.build_request import BuildRequest
from monai_unlearn.index.fast_readers import Reader
from monai_unlearn.index.summary import summarise
from monai_unlearn.index.tables.from_table import TableRequest, index_table
from monai_unlearn.vocabulary.parts import PARTS

CASES = os.environ.get("MONAI_UNLEARN_CASES")
BUILT = dt.date(2026, 5, 1)


def parts_of(index, rule, more=""):
    """Return the patients of each part, without the guards."""
    cohort = resolve_unguarded(make_spec(rule, more), index)
    frames = {part: getattr(cohort, part) for part in PARTS}
    return tuple(" ".join(sorted(frame["patient"])) for frame in frames.values())


@pytest.fixture(autouse=True)
def _odd_values(monkeypatch):
    """Let pydicom write invalid values."""
    monkeypatch.setattr(config.settings, "writing_validation_mode", config.IGNORE)
    monkeypatch.setattr(config.settings, "reading_validation_mode", config.IGNORE)


@pytest.fixture
def indexed(tmp_path, make_dicom):
    """Build an index of one file per patient, given the tags of each."""

    def make(patients, *, built=BUILT, out="index"):
        for number, (patient, tags) in enumerate(patients.items()):
            plain = {"PatientID": patient, "StudyDate": None, "AcquisitionDateTime": None}
            make_dicom(tmp_path / f"files/{patient}.dcm", number, **{**plain, **tags})
        request = BuildRequest(sources=(tmp_path / "files",), out=tmp_path / out, built=built)
        return build(request, track=iter).index

    return make


ODD = {
    "A": {"StudyDate": "20180605"},
    "B": {"StudyDate": "2018"},
    "C": {"StudyDate": "201806"},
    "D": {"StudyDate": "20180101-20181231"},
    "E": {"StudyDate": "19000101"},
    "F": {"StudyDate": "20260502"},
    "G": {"AcquisitionDateTime": "201806-0500", "StudyDate": "20190101"},
    "H": {"AcquisitionDateTime": "2018-0500", "StudyDate": "20190101"},
    "I": {"AcquisitionDateTime": "20180605-2018", "StudyDate": "20190101"},
    "J": {"AcquisitionDateTime": "20180630233000-0500", "StudyDate": "20180701"},
    "K": {"AcquisitionDate": "2018 ", "AcquisitionDateTime": "20200101", "StudyDate": "20200101"},
    "L": {"AcquisitionDate": "unknown", "AcquisitionDateTime": "20180101", "StudyDate": "20180101"},
    "M": {"StudyDate": "20180605\\20180606"},
    "N": {},
}


@pytest.mark.parametrize(
    ("rule", "forget", "remain", "undetermined"),
    [
        ("acquired < 2018-07-01", "A C G J", "", "B D E F H I K L M N"),
        ("acquired <= 2018-12-31", "A B C G H J K", "", "D E F I L M N"),
        ("year(acquired) == 2018", "A B C G H J K", "", "D E F I L M N"),
        ("acquired == 2018-06-30", "J", "A", "B C D E F G H I K L M N"),
        ("missing(acquired) and modality == OP", "N", "A B C D E F G H I J K L M", ""),
        ("studied >= 2019-01-01", "G H I K", "A B C J L", "D E F M N"),
    ],
)
def test_shortened_invalid_and_implausible_dates_of_files(indexed, rule, forget, remain, undetermined):
    assert parts_of(indexed(ODD), rule) == (forget, remain, undetermined)


def test_the_report_counts_what_is_in_doubt(indexed):
    faults = summarise(indexed(ODD))["faults"]
    assert {code: fault["count"] for code, fault in faults.items()} == {
        "invalid_date": 4,
        "partial_date": 5,
        "implausible_date": 2,
    }


@pytest.mark.parametrize("reader", [Reader.PLAIN, Reader.GDCM])
def test_all_readers_agree(tmp_path, make_dicom, reader):
    if reader is Reader.GDCM:
        pytest.importorskip("gdcm")
    ages = {f"age{age}": {"PatientAge": age} for age in ("000Y", "000D", "000W", "999Y", "12", "018M", "0Y")}
    files = [
        make_dicom(tmp_path / f"{name}.dcm", number, **tags)
        for number, (name, tags) in enumerate({**ODD, **ages}.items())
    ]
    rows = assert_same(files, reader).to_pylist()
    assert [row["partial"] is not None for row in rows].count(True) == 5
    assert [row["implausible"] for row in rows].count("PatientAge") == 2


AGES = {
    "A": {"PatientAge": "000Y"},
    "B": {"PatientAge": "000D"},
    "C": {"PatientAge": "000W"},
    "D": {"PatientAge": "119Y"},
    "E": {"PatientAge": "120Y"},
    "F": {"PatientAge": "999Y"},
    "G": {"PatientAge": "12"},
    "H": {"PatientAge": "017Y"},
    "I": {"PatientAge": "0Y"},
}


def test_ages_of_files(indexed):
    index = indexed(AGES)
    assert parts_of(index, "PatientAge < 18") == ("B C H", "D", "A E F G I")
    assert parts_of(index, "PatientAge < 18", "implausible: keep") == ("A B C H I", "D E F", "G")
    assert summarise(index)["faults"]["implausible_age"]["count"] == 4


def test_the_day_of_the_build_decides_and_is_no_content(indexed):
    first = indexed(ODD)
    later = indexed(ODD, built=dt.date(2026, 5, 2), out="later")
    assert parts_of(first, "studied >= 2026-01-01")[0] == ""
    assert parts_of(later, "studied >= 2026-01-01")[0] == "F"
    assert first.digest == later.digest
    document = json.loads((later.directory / "index.json").read_text())
    assert (document["built"], document["dates_shifted"], later.built) == ("2026-05-02", False, dt.date(2026, 5, 2))


def test_dates_that_de_identification_has_shifted_are_plausible(indexed):
    shifted = {f"S{number}": {"StudyDate": f"21{50 + number}0101"} for number in range(9)}
    index = indexed({**shifted, "A": {"StudyDate": "20180101"}, "B": {"StudyDate": "19000101"}})
    assert index.dates_shifted
    assert parts_of(index, "studied >= 2155-01-01") == ("S5 S6 S7 S8", "A S0 S1 S2 S3 S4", "B")
    counts = {code: fault["count"] for code, fault in summarise(index)["faults"].items()}
    assert counts == {"implausible_date": 1, "dates_shifted": 9}


TABLE = """\
id,PatientID,StudyDate,AcquisitionDateTime,PatientAge
a,A,20180605,,000Y
b,B,2018,,000D
c,C,2018-06,,120Y
d,D,20180101-20181231,,017Y
e,E,19000101,,12
f,F,20260502,,999Y
g,G,20190101,201806-0500,018M
h,H,20190101,2018-0500,
i,I,20190101,20180605-2018,
"""


def test_tables_are_judged_as_files_are(tmp_path):
    (tmp_path / "t.csv").write_text(TABLE, encoding="utf-8")
    request = TableRequest(table=tmp_path / "t.csv", id_column="id", out=tmp_path / "index", built=BUILT)
    report = index_table(request)
    assert parts_of(report.index, "acquired < 2018-07-01") == ("A C G", "", "B D E F H I")
    assert parts_of(report.index, "year(acquired) == 2018") == ("A B C G H", "", "D E F I")
    assert parts_of(report.index, "PatientAge < 18") == ("B D G", "", "A C E F H I")
    assert {fault.code for fault in report.faults} >= {"invalid_date", "invalid_age", "implausible_age"}
    assert report.index.built == BUILT


def test_dates_of_a_table_that_look_like_numbers_are_dates(tmp_path):
    (tmp_path / "t.csv").write_text(
        "id,PatientID,StudyDate,n\na,A,20180605,1\nb,B,20190605,2\nc,C,,3\n", encoding="utf-8"
    )
    report = index_table(TableRequest(table=tmp_path / "t.csv", id_column="id", out=tmp_path / "index"))
    assert report.index.frame(["StudyDate"])["StudyDate"].tolist() == [dt.date(2018, 6, 5), dt.date(2019, 6, 5), None]
    assert parts_of(report.index, "studied < 2019-01-01") == ("A", "B", "C")


def test_shifted_dates_of_a_table(tmp_path):
    rows = "".join(f"{number},P{number},21{50 + number}0101\n" for number in range(10))
    (tmp_path / "t.csv").write_text(f"id,PatientID,StudyDate\n{rows}", encoding="utf-8")
    report = index_table(TableRequest(table=tmp_path / "t.csv", id_column="id", out=tmp_path / "index"))
    assert report.index.dates_shifted
    assert parts_of(report.index, "studied >= 2158-01-01")[0] == "P8 P9"


@pytest.fixture(scope="module")
def trouble(tmp_path_factory):
    """Build an index of one folder of the cases of hospitals."""
    if CASES is None:
        pytest.skip("MONAI_UNLEARN_CASES does not name the folder of the cases")
    folder = tmp_path_factory.mktemp("trouble")
    argv, sys.argv = sys.argv, ["dicom_trouble.py", str(folder / "files")]
    modes = config.settings.reading_validation_mode, config.settings.writing_validation_mode
    try:
        runpy.run_path(str(Path(CASES) / "dicom_trouble.py"))
    finally:
        sys.argv = argv
        config.settings.reading_validation_mode, config.settings.writing_validation_mode = modes

    def index(name):
        request = BuildRequest(sources=(folder / "files" / name,), out=folder / name, built=BUILT)
        return build(request, track=iter).index

    return index


def test_dates_of_hospitals(trouble):
    index = trouble("date")
    assert parts_of(index, "acquired < 2019-01-01") == ("T1 T2 T6 T8", "T9", "T10 T3 T4 T5 T7")
    assert parts_of(index, "acquired < 2018-12-15") == ("T6 T8", "T1 T9", "T10 T2 T3 T4 T5 T7")
    assert parts_of(index, "studied < 2019-01-01") == ("T8", "T1 T10 T2 T6 T9", "T3 T4 T5 T7")
    kept = parts_of(index, "acquired < 2019-01-01", "implausible: keep")
    assert kept == ("T1 T10 T2 T3 T4 T6 T8", "T5 T9", "T7")


def test_ages_of_hospitals(trouble):
    index = trouble("age")
    forget, remain, undetermined = parts_of(index, "PatientAge < 18")
    assert (forget, remain) == ("G1 G2", "G7 G8")
    assert set(undetermined.split()) == {"G3", "G4", "G5", "G6"}
    assert parts_of(index, "PatientAge >= 90")[0] == "G7"
    faults = {code: fault["count"] for code, fault in summarise(index)["faults"].items()}
    assert (faults["implausible_age"], faults["invalid_age"]) == (2, 1)
