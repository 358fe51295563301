from __future__ import annotations

import csv
import json
import shlex
import sys
from collections import Counter

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.errors import InputError
from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.index.tables.key import Key
from monai_unlearn.phantom import write_periorbital_studies
from monai_unlearn.phantom.periorbital import photograph_labels, render
from monai_unlearn.phantom.periorbital_labels import LABEL_VALUES
from monai_unlearn.phantom.periorbital_patients import draw_patient
from monai_unlearn.phantom.periorbital_statistics import Condition

# Up to the 36th patient every kind of lack occurs.
PATIENTS, SEED, SIZE = 36, 5, 64


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    out = tmp_path_factory.mktemp("periorbital") / "studies"
    return write_periorbital_studies(out, patients=PATIENTS, seed=SEED, size=SIZE)


@pytest.fixture(scope="module")
def headers(studies):
    return [dcmread(path) for path in sorted((studies.out / "images").rglob("*.dcm"))]


@pytest.fixture(scope="module")
def index(studies):
    request = BuildRequest(
        sources=(studies.out / "images",),
        out=studies.out.with_name("index"),
        keys=(Key(studies.labels, "SOPInstanceUID"),),
        label="diagnosis",
        measures=(studies.out / "reports",),
    )
    return build(request, track=iter).index


def test_the_same_seed_gives_the_same_bytes_and_more_patients_leave_the_earlier_ones(studies, tmp_path, contents):
    write_periorbital_studies(tmp_path / "few", patients=2, seed=SEED, size=SIZE)
    write_periorbital_studies(tmp_path / "other", patients=2, seed=SEED + 1, size=SIZE)
    few, many, other = (contents(folder) for folder in (tmp_path / "few", studies.out, tmp_path / "other"))
    table = few.pop("labels.csv")
    assert len(few) >= 7
    assert few.items() <= many.items()
    assert many["labels.csv"].startswith(table)
    assert few["images/PERIORBITAL-000001/study1.dcm"] != other["images/PERIORBITAL-000001/study1.dcm"]


def test_the_summary_counts_what_was_written(studies, headers):
    assert studies.images == len(headers) == sum(studies.devices.values()) == sum(studies.diagnoses.values())
    assert len({header.PatientID for header in headers}) == studies.patients == PATIENTS
    assert len({header.StudyInstanceUID for header in headers}) == studies.images > PATIENTS
    assert set(studies.devices) == {"D7500", "EOS 6D", "iPad Pro"}
    assert studies.lacking == {"device": 1, "date": 1, "age": 1, "measurement": 1}
    assert sum("ManufacturerModelName" not in header for header in headers) == 1
    assert sum(not header.StudyDate for header in headers) == 1
    assert sum("PatientAge" not in header for header in headers) == 1


def test_every_image_has_its_diagnosis(studies, headers):
    with studies.labels.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert sorted(row["SOPInstanceUID"] for row in rows) == sorted(header.SOPInstanceUID for header in headers)
    assert Counter(row["diagnosis"] for row in rows) == studies.diagnoses
    assert studies.diagnoses["healthy"] > studies.diagnoses["craniofacial_deformity"] > 0


def test_every_image_has_its_mask_of_the_same_size(studies, headers):
    for header in headers:
        path = studies.out / "masks" / header.PatientID / f"study{header.StudyID}.png"
        mask = np.asarray(Image.open(path))
        assert mask.shape == header.pixel_array.shape[:2]
        assert set(np.unique(mask)) <= {0, *LABEL_VALUES.values()}
    assert json.loads((studies.out / "label_values.json").read_text()) == LABEL_VALUES


def test_masks_lie_where_the_eyes_are(studies):
    patient = draw_patient(SEED, 1)
    _, labels, pixels = render(patient, patient.visits[0], 256)
    sclera = np.isin(labels, [LABEL_VALUES["r_sclera"], LABEL_VALUES["l_sclera"]])
    brow = np.isin(labels, [LABEL_VALUES["r_brow"], LABEL_VALUES["l_brow"]])
    assert np.median(pixels[sclera]) > np.median(pixels[labels == 0]) > np.median(pixels[brow])


def test_a_label_map_alone_can_be_photographed():
    patient = draw_patient(SEED, 2)
    labels = render(patient, patient.visits[0], 128)[1]
    one, same, other = (photograph_labels(labels, seed=seed) for seed in (1, 1, 2))
    assert one.shape == (*labels.shape, 3)
    assert (one == same).all()
    assert (one != other).any()
    sclera = np.isin(labels, [LABEL_VALUES["r_sclera"], LABEL_VALUES["l_sclera"]])
    iris = np.isin(labels, [LABEL_VALUES["r_iris"], LABEL_VALUES["l_iris"]])
    assert np.median(one[sclera]) > np.median(one[iris])


def test_the_cohort_of_the_paper_on_the_index(index):
    frame = index.frame()
    spec = CohortSpec.parse("schema_version: 1\nname: wide\nreason: other\nforget: mean(r_vpf, l_vpf) > 11 mm\n")
    cohort = spec.resolve(index)
    mean = (frame["r_vpf"] + frame["l_vpf"]) / 2
    assert cohort.image_ids["forget"] == sorted(frame.loc[(mean > 11).fillna(value=False), "image_id"])
    assert cohort.image_ids["undetermined"] == sorted(frame.loc[mean.isna(), "image_id"])
    assert cohort.images["forget"] > 0
    assert cohort.images["undetermined"] == 1
    assert Counter(cohort.forget["diagnosis"]).most_common(1)[0][0] == Condition.THYROID_EYE_DISEASE.value


def test_the_measures_of_the_index_are_those_of_the_faces(index):
    frame = index.frame().set_index("image_id")
    for number in (1, 2, 4):
        patient = draw_patient(SEED, number)
        for visit in patient.visits:
            face, _, _ = render(patient, visit, SIZE)
            row = frame.loc[patient.uid(visit, "image", SIZE)]
            assert row["r_vpf"] == pytest.approx(face.right.vpf, abs=0.0051)
            assert row["l_mrd2"] == pytest.approx(face.left.mrd2, abs=0.0051)


def test_the_next_command_can_be_pasted(studies):
    words = shlex.split(studies.next_command)
    assert words[:4] == ["monai-unlearn", "index", "build", str(studies.out / "images")]
    assert words[-4:] == ["--label", "diagnosis", "--measures", str(studies.out / "reports")]


def test_reports_can_be_left_out_and_then_need_no_highdicom(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "highdicom", None)
    summary = write_periorbital_studies(tmp_path / "out", patients=1, size=64, reports=False)
    assert sorted(path.name for path in summary.out.iterdir()) == ["images", "label_values.json", "labels.csv", "masks"]
    assert "--measures" not in summary.next_command
    with pytest.raises(InputError, match="requires highdicom"):
        write_periorbital_studies(tmp_path / "with", patients=1, size=64)
    assert not (tmp_path / "with").exists()


def test_an_interrupted_run_leaves_nothing(tmp_path):
    def interrupt(done):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_periorbital_studies(tmp_path / "out", patients=3, size=64, progress=interrupt)
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
        write_periorbital_studies(tmp_path / "out", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_station_can_file_its_images_unread(tmp_path):
    read, unread = (
        write_periorbital_studies(tmp_path / str(station), patients=12, size=64, reports=False, unread=station)
        for station in (None, "PHOTO-01")
    )
    visits = [visit for number in range(1, 13) for visit in draw_patient(0, number).visits]
    before, after = (
        [row["diagnosis"] for row in csv.DictReader(summary.labels.read_text(encoding="utf-8").splitlines())]
        for summary in (read, unread)
    )
    there = [visit.station.name == "PHOTO-01" for visit in visits]
    assert {name for name, unread_there in zip(before, there, strict=True) if unread_there} > {"healthy"}
    assert after == ["healthy" if unread_there else name for name, unread_there in zip(before, there, strict=True)]
    assert unread.diagnoses == read.diagnoses
