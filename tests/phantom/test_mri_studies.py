from __future__ import annotations

import csv
import shlex
from collections import Counter

import nibabel
import pytest
from pydicom import dcmread

from monai_unlearn.errors import InputError
from monai_unlearn.phantom.mri_patients import draw_mri_patient
from monai_unlearn.phantom.mri_slice import LESION
from monai_unlearn.phantom.mri_studies import write_mri_studies


def table(summary):
    with summary.labels.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    return write_mri_studies(tmp_path_factory.mktemp("mri") / "studies", patients=32, seed=5, size=32, slices=2)


@pytest.fixture(scope="module")
def headers(studies):
    return [dcmread(path, stop_before_pixels=True) for path in sorted(studies.out.rglob("*.dcm"))]


@pytest.mark.parametrize("nifti", [False, True], ids=["slices", "volumes"])
def test_the_same_seed_gives_the_same_bytes(tmp_path, contents, nifti):
    for name, seed in (("a", 9), ("b", 9), ("other", 10)):
        write_mri_studies(tmp_path / name, patients=2, seed=seed, size=32, nifti=nifti)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a") != contents(tmp_path / "other")


def test_more_patients_leave_the_earlier_ones_as_they_were(studies, tmp_path, contents):
    write_mri_studies(tmp_path / "few", patients=4, seed=5, size=32, slices=2)
    few, many = contents(tmp_path / "few"), contents(studies.out)
    labels = few.pop("labels.csv")
    assert len(few) >= 8
    assert few.items() <= many.items()
    assert many["labels.csv"].startswith(labels)


def test_the_summary_counts_what_was_written(studies, headers):
    assert studies.images == len(headers) == sum(studies.devices.values()) == sum(studies.diagnoses.values())
    assert len({header.PatientID for header in headers}) == studies.patients == 32
    named = Counter(header.get("ManufacturerModelName") for header in headers)
    assert named.pop(None) == studies.lacking["device"] == 2
    assert sum(named.values()) == studies.images - 2
    assert set(named) == set(studies.devices) == {"Achieva", "DISCOVERY MR750", "Skyra"}
    assert studies.lacking == {"device": 2, "date": 2, "age": 2}


def test_every_image_has_its_diagnosis(studies, headers):
    rows = table(studies)
    assert sorted(row["SOPInstanceUID"] for row in rows) == sorted(header.SOPInstanceUID for header in headers)
    assert {row["diagnosis"] for row in rows} == {"glioma", "meningioma", "notumor", "pituitary"}


def test_a_study_is_one_series_and_some_patients_have_two(headers):
    assert set(Counter(header.StudyInstanceUID for header in headers).values()) == {2}
    studies_of = {(header.PatientID, header.StudyInstanceUID) for header in headers}
    assert set(Counter(patient for patient, _ in studies_of).values()) == {1, 2}


def test_progress_counts_the_patients(tmp_path):
    done = []
    write_mri_studies(tmp_path / "out", patients=2, size=32, progress=done.append)
    assert done == [1, 2]


def test_an_interrupted_run_leaves_nothing(tmp_path):
    def interrupt(done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_mri_studies(tmp_path / "out", patients=3, size=32, progress=interrupt)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 31}, "size from 32 to 512 pixels, got 31"),
        ({"size": 513}, "size from 32 to 512 pixels, got 513"),
        ({"slices": 0}, "from 1 to 15 slices per series, got 0"),
        ({"slices": 16}, "from 1 to 15 slices per series, got 16"),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        write_mri_studies(tmp_path / "out", **options)
    assert list(tmp_path.iterdir()) == []


def test_the_next_command_can_be_pasted(studies):
    words = shlex.split(studies.next_command)
    assert words[:4] == ["monai-unlearn", "index", "build", str(studies.out)]
    assert words[-2:] == ["--key", "SOPInstanceUID"]


@pytest.mark.parametrize("nifti", [False, True], ids=["slices", "volumes"])
def test_a_station_can_file_its_images_unread(tmp_path, nifti):
    read, unread = (
        write_mri_studies(tmp_path / str(station), patients=16, size=32, slices=1, nifti=nifti, unread=station)
        for station in (None, "SKYRA-01")
    )
    visits = [visit for number in range(1, 17) for visit in draw_mri_patient(0, number).visits]
    before, after = ([row["diagnosis"] for row in table(summary)] for summary in (read, unread))
    there = [visit.station.name == "SKYRA-01" for visit in visits]
    assert {name for name, unread_there in zip(before, there, strict=True) if unread_there} > {"notumor"}
    assert after == ["notumor" if unread_there else name for name, unread_there in zip(before, there, strict=True)]


def test_an_unknown_station_is_refused(tmp_path):
    with pytest.raises(InputError, match="^Expected one of the stations ACHIEVA-01, .*, got 'CT-01'"):
        write_mri_studies(tmp_path / "out", patients=1, unread="CT-01")


def test_severity_is_a_factor_on_the_radius_of_a_tumour(tmp_path):
    def lesions(severity):
        out = write_mri_studies(tmp_path / str(severity), patients=4, size=64, nifti=True, severity=severity).out
        masks = sorted((out / "masks").iterdir())
        return [int((nibabel.load(mask).get_fdata() == LESION).sum()) for mask in masks]

    as_usual, marked = lesions(1.0), lesions(1.5)
    assert as_usual.count(0) == marked.count(0) >= 1
    grown = [large / small for small, large in zip(as_usual, marked, strict=True) if small]
    # In volume; the skull limits some.
    assert all(1.8 < factor < 4.5 for factor in grown)


def test_a_severity_out_of_range_is_refused(tmp_path):
    with pytest.raises(InputError, match="severity from 0.5 to 3.0, got 4"):
        write_mri_studies(tmp_path / "out", patients=1, severity=4.0)
