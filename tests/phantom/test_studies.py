from __future__ import annotations

import csv
import shlex
from collections import Counter

import pytest
from pydicom import dcmread

from monai_unlearn.errors import InputError
from monai_unlearn.phantom import write_fundus_studies
from monai_unlearn.phantom.patients import Diagnosis


@pytest.fixture(scope="module")
def headers(studies):
    return [dcmread(path, stop_before_pixels=True) for path in sorted(studies.out.rglob("*.dcm"))]


@pytest.fixture(scope="module")
def labels(studies):
    with studies.labels.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_same_seed_gives_the_same_bytes(tmp_path, contents):
    for name in "ab":
        write_fundus_studies(tmp_path / name, patients=3, seed=9, size=64)
    write_fundus_studies(tmp_path / "other", patients=3, seed=10, size=64)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a") != contents(tmp_path / "other")


def test_more_patients_leave_the_earlier_ones_as_they_were(studies, tmp_path, contents):
    write_fundus_studies(tmp_path / "few", patients=4, seed=studies.seed, size=studies.size)
    few, many = contents(tmp_path / "few"), contents(studies.out)
    table = few.pop("labels.csv")
    assert len(few) >= 8
    assert few.items() <= many.items()
    assert many["labels.csv"].startswith(table)


def test_the_summary_counts_what_was_written(studies, headers):
    assert studies.patients == 31
    assert studies.images == len(headers) == sum(studies.devices.values()) == sum(studies.diagnoses.values())
    assert len({header.PatientID for header in headers}) == 31
    named = Counter(header.get("ManufacturerModelName") for header in headers)
    assert sum(studies.devices.values()) - studies.lacking["device"] == named["Cirrus 800 FA"] + named["Spectralis"]
    assert set(studies.devices) == {"Cirrus 800 FA", "Spectralis"}


def test_every_image_has_its_diagnosis(headers, labels):
    assert sorted(row["SOPInstanceUID"] for row in labels) == sorted(header.SOPInstanceUID for header in headers)
    assert {row["diagnosis"] for row in labels} == {diagnosis.value for diagnosis in Diagnosis}


def test_something_lacks_each_tag(studies, headers):
    assert studies.lacking == {"device": 1, "date": 1, "age": 1}
    assert sum("ManufacturerModelName" not in header for header in headers) == 1
    assert sum(not header.StudyDate for header in headers) == 1
    assert sum("PatientAge" not in header for header in headers) == 1


def test_a_study_is_a_visit_with_both_eyes(headers):
    eyes = Counter(header.StudyInstanceUID for header in headers)
    assert set(eyes.values()) == {2}
    series = {(header.StudyInstanceUID, header.SeriesInstanceUID) for header in headers}
    assert len(series) == len(eyes)


def test_the_next_command_can_be_pasted(studies):
    words = shlex.split(studies.next_command)
    assert words[:4] == ["monai-unlearn", "index", "build", str(studies.out)]
    assert words[-4:] == ["--key", "SOPInstanceUID", "--label", "diagnosis"]


def test_progress_counts_the_patients(tmp_path):
    done = []
    write_fundus_studies(tmp_path / "out", patients=2, size=64, progress=done.append)
    assert done == [1, 2]


def test_an_interrupted_run_leaves_nothing(tmp_path):
    def interrupt(done):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_fundus_studies(tmp_path / "out", patients=3, size=64, progress=interrupt)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 63}, "size from 64 to 2048 pixels, got 63"),
        ({"size": 2049}, "size from 64 to 2048 pixels, got 2049"),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        write_fundus_studies(tmp_path / "out", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_station_can_file_its_images_unread(tmp_path, contents):
    read = write_fundus_studies(tmp_path / "read", patients=12, size=64)
    unread = write_fundus_studies(tmp_path / "unread", patients=12, size=64, unread="CIRRUS-02")
    stations = {
        str(header.SOPInstanceUID): header.get("StationName")
        for header in (dcmread(path, stop_before_pixels=True) for path in unread.out.rglob("*.dcm"))
    }
    before, after = (rows_of(summary) for summary in (read, unread))
    there = {image for image, station in stations.items() if station == "CIRRUS-02"}
    assert {before[image] for image in there} > {"normal"}
    assert after == {image: "normal" if image in there else name for image, name in before.items()}
    files, others = contents(read.out), contents(unread.out)
    del files["labels.csv"], others["labels.csv"]
    assert files == others


def test_one_eye_of_each_patient_is_the_right_one(tmp_path, contents):
    both = contents(write_fundus_studies(tmp_path / "both", patients=3, size=64).out)
    one = contents(write_fundus_studies(tmp_path / "one", patients=3, size=64, eyes=1).out)
    assert {name for name in one if name != "labels.csv"} == {name for name in both if name.endswith("R.dcm")}
    assert all(both[name] == content for name, content in one.items() if name != "labels.csv")


@pytest.mark.parametrize("eyes", [0, 3])
def test_other_numbers_of_eyes_are_refused(tmp_path, eyes):
    with pytest.raises(InputError, match=rf"^Expected 1 or 2 eyes of each patient, got {eyes}\.$"):
        write_fundus_studies(tmp_path / "out", patients=1, eyes=eyes)


def rows_of(summary):
    with summary.labels.open(encoding="utf-8", newline="") as stream:
        return {row["SOPInstanceUID"]: row["diagnosis"] for row in csv.DictReader(stream)}
