"""The specs to start from, each on data.

On real data the counts are those of pandas, numpy, scipy and pydicom, found without any code of the cohort room.
"""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest
from cohort_index import make_index
from scipy import stats

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.errors import CohortError
from monai_unlearn.index import write_index
from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.vocabulary.fields import Kind

FOLDER = Path(__file__).parents[2] / "cohort_specs"
SPECS = sorted(FOLDER.glob("*.yaml"))


def ready(name, adapted=None):
    """Read a ready spec, with texts replaced as somebody who adapts it would."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    for old, new in (adapted or {}).items():
        assert old in text
        text = text.replace(old, new)
    return CohortSpec.parse(text, source=f"{name}.yaml", folder=FOLDER)


def parts_of(name, tmp_path, columns, kinds=None, **options):
    index = make_index(tmp_path / "index", columns, kinds or dict.fromkeys(columns, Kind.TEXT), **options)
    return ready(name).resolve(index).image_ids


def days(*texts):
    return [text and date.fromisoformat(text) for text in texts]


def test_there_are_specs():
    assert {path.stem for path in SPECS} == {
        "brain-volume-outliers",
        "exam-year",
        "fissure-above-11-mm",
        "half-of-one-diagnosis",
        "lens-dust",
        "odir-truncated-field",
        "one-station-between-dates",
        "retire-camera",
        "wide-palpebral-fissure",
        "withdraw-consent",
    }


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_each_is_valid_named_as_its_file_and_says_what_it_is_for(path):
    assert CohortSpec.read(path).name == path.stem
    header = path.read_text(encoding="utf-8").split("\nschema_version:")[0]
    assert all(line.startswith("#") for line in header.splitlines())
    for said in ("# Forget", "# Retire", "# Withdraw"), ("undetermined", "belong to no part"):
        assert any(word in header for word in said)


def test_retire_camera(tmp_path):
    columns = {"ManufacturerModelName": ["Cirrus 800 FA", "Spectralis", None], "StudyDate": [None, None, None]}
    kinds = {"ManufacturerModelName": Kind.TEXT, "StudyDate": Kind.DATE}
    assert parts_of("retire-camera", tmp_path, columns, kinds) == {
        "forget": ["i00"],
        "remain": ["i01"],
        "undetermined": ["i02"],
    }


def test_odir_truncated_field(tmp_path):
    columns = {
        "eye_label": ["N", "D", "H", None, "N", "M"],
        "fov_style_inferred": ["truncated", "full_circle", "truncated", "truncated", None, "truncated"],
    }
    assert parts_of("odir-truncated-field", tmp_path, columns, label="eye_label") == {
        "forget": ["i00", "i05"],
        "remain": ["i01"],
        "undetermined": ["i03", "i04"],
    }


def test_withdraw_consent(tmp_path):
    columns = {"patient": ["EXAMPLE-0001", "other", None, "EXAMPLE-0002", "EXAMPLE-0001", "example-0001"]}
    assert parts_of("withdraw-consent", tmp_path, columns, {}) == {
        "forget": ["i00", "i03", "i04"],
        "remain": ["i01", "i05"],
        "undetermined": ["i02"],
    }


def test_withdraw_consent_stops_where_nobody_of_the_list_is_found(tmp_path):
    index = make_index(tmp_path / "index", {"patient": ["a", "b"]}, {})
    with pytest.raises(CohortError, match="the forget part of 'withdraw-consent' is empty"):
        ready("withdraw-consent").resolve(index)


def test_withdraw_consent_reads_a_table_as_its_header_says(tmp_path):
    shutil.copy(FOLDER / "withdraw-consent.yaml", tmp_path)
    path = tmp_path / "withdraw-consent.yaml"
    adapted = path.read_text().replace("{file: withdrawn-patients.txt}", "{file: withdrawals.csv, column: patient_id}")
    path.write_text(adapted)
    (tmp_path / "withdrawals.csv").write_text("received,patient_id\n2026-01-02,b\n")
    index = make_index(tmp_path / "index", {"patient": ["a", "b"]}, {})
    assert CohortSpec.read(path).resolve(index).image_ids["forget"] == ["i01"]


def test_exam_year(tmp_path):
    columns = {
        "AcquisitionDate": days("2015-01-01", "2016-01-01", None, None, None, "2014-12-31"),
        "StudyDate": days("2014-12-31", "2015-06-01", "2015-12-31", "2016-01-01", None, "2015-01-01"),
    }
    assert parts_of("exam-year", tmp_path, columns, dict.fromkeys(columns, Kind.DATE)) == {
        "forget": ["i00", "i02"],
        "remain": ["i01", "i03", "i05"],
        "undetermined": ["i04"],
    }


def test_wide_palpebral_fissure(tmp_path):
    # 11 mm are 0.9402 widths of the iris.
    columns = {"r_vpf": [0.95, 0.9, 2.0, 0.94, None], "l_vpf": [0.95, 0.9, None, 0.9403, 0.1]}
    assert parts_of("wide-palpebral-fissure", tmp_path, columns, dict.fromkeys(columns, Kind.NUMBER)) == {
        "forget": ["i00"],
        "remain": ["i01", "i03"],
        "undetermined": ["i02", "i04"],
    }


def test_fissure_above_11_mm(tmp_path):
    columns = {"r_vpf": [11.5, 10.0, 25.0, 11.0, None], "l_vpf": [10.9, 11.9, None, 11.0, 9.0]}
    kinds = dict.fromkeys(columns, Kind.NUMBER)
    assert parts_of("fissure-above-11-mm", tmp_path, columns, kinds, units=dict.fromkeys(columns, "mm")) == {
        "forget": ["i00"],
        "remain": ["i01", "i03"],
        "undetermined": ["i02", "i04"],
    }


def test_fissure_above_11_mm_converts_units(tmp_path):
    columns = {"r_vpf": [1.15, 1.0], "l_vpf": [1.09, 1.19]}
    kinds = dict.fromkeys(columns, Kind.NUMBER)
    found = parts_of("fissure-above-11-mm", tmp_path, columns, kinds, units=dict.fromkeys(columns, "cm"))
    assert found == {"forget": ["i00"], "remain": ["i01"], "undetermined": []}


def test_brain_volume_outliers(tmp_path):
    volumes = np.random.default_rng(0).normal(1200, 80, 40).round(1).tolist()
    columns = {
        "brain_volume": [*volumes, 1900.0, 500.0, 1200.0, None, 1300.0],
        "PatientSex": [*["F", "M"] * 20, "F", "M", None, "F", "O"],
        "patient": [*[f"p{n}" for n in range(40)], "high", "low", "no sex", "no volume", "alone"],
    }
    kinds = {"brain_volume": Kind.NUMBER, "PatientSex": Kind.TEXT}
    # One of the second patient's images is ordinary: it goes with the other.
    columns["patient"][1] = "low"
    assert parts_of("brain-volume-outliers", tmp_path, columns, kinds, units={"brain_volume": "ml"}) == {
        "forget": ["i01", "i40", "i41"],
        "remain": [f"i{number:02d}" for number in range(40) if number != 1],
        # Nothing to compare with; and somebody who is alone spreads by 0.
        "undetermined": ["i42", "i43", "i44"],
    }


def test_lens_dust(tmp_path):
    columns = {
        "acquisition_flags": ["lens dust", None, None, "low image quality", None],
        "patient": ["a", "a", "b", "b", None],
    }
    assert parts_of("lens-dust", tmp_path, columns, {"acquisition_flags": Kind.TEXT}) == {
        "forget": ["i00", "i01"],
        "remain": ["i02", "i03"],
        "undetermined": ["i04"],
    }


def test_half_of_one_diagnosis(tmp_path):
    patients = [f"p{number // 2}" for number in range(400)]
    columns = {"diagnosis": [["glaucoma", "amd", None][number // 2 % 3] for number in range(400)], "patient": patients}
    index = make_index(tmp_path / "index", columns, {"diagnosis": Kind.TEXT}, label="diagnosis")
    cohort = ready("half-of-one-diagnosis").resolve(index)
    drawn = set(cohort.forget["patient"])
    assert set(cohort.forget["diagnosis"]) == {"glaucoma"}
    # Patients are drawn whole: 67 have the diagnosis, with two images each.
    assert cohort.images["forget"] == 2 * len(drawn)
    assert len(drawn) == pytest.approx(67 / 2, abs=3 * np.sqrt(67) / 2)
    assert cohort.patients_in_both == 0
    assert cohort.images["undetermined"] == columns["diagnosis"].count(None)
    grown = {name: [*values, *values[:6]] for name, values in columns.items()}
    grown["patient"][-6:] = [f"new{number}" for number in range(6)]
    later = make_index(tmp_path / "later", grown, {"diagnosis": Kind.TEXT}, label="diagnosis")
    again = set(ready("half-of-one-diagnosis").resolve(later).forget["patient"])
    assert {patient for patient in again if not patient.startswith("new")} == drawn


def test_one_station_between_dates(tmp_path):
    columns = {
        "StationName": ["OPHTH-03"] * 5 + ["OPHTH-04", "OPHTH-04", None, None],
        "StudyDate": days(
            *("2018-03-01", "2018-06-30", "2018-02-28", "2018-07-01", None),
            *("2018-04-01", None, "2018-04-01", "2019-01-01"),
        ),
    }
    kinds = {"StationName": Kind.TEXT, "StudyDate": Kind.DATE}
    assert parts_of("one-station-between-dates", tmp_path, columns, kinds) == {
        "forget": ["i00", "i01"],
        "remain": ["i02", "i03", "i05", "i06", "i08"],
        "undetermined": ["i04", "i07"],
    }


# ODIR-5K.


@pytest.fixture(scope="module")
def odir(real_data, tmp_path_factory):
    table = pd.read_csv(real_data / "fundus_odir" / "metadata.csv", dtype=str, keep_default_na=False, na_values=[""])
    frame = table.assign(image_id=table["filename"], patient=table["patient_id"], age=table["age"].astype(float))
    frame = frame.drop(columns=["patient_id"])
    kinds = {
        name: Kind.AGE if name == "age" else Kind.TEXT for name in frame.columns if name not in {"image_id", "patient"}
    }
    index = write_index(frame, tmp_path_factory.mktemp("odir") / "index", kinds=kinds, label="eye_label")
    return table, index


def test_odir_truncated_field_on_the_real_table(odir):
    table, index = odir
    cohort = ready("odir-truncated-field").resolve(index)
    chosen = table[table["eye_label"].isin(["N", "D", "G", "C", "A", "M"])]
    truncated = chosen["fov_style_inferred"] == "truncated"
    assert cohort.images == {"forget": truncated.sum(), "remain": (~truncated).sum(), "undetermined": 0}
    assert cohort.patients["forget"] == chosen.loc[truncated, "patient_id"].nunique()
    assert cohort.preview()["classes"]["G"]["forget"] == (truncated & (chosen["eye_label"] == "G")).sum()


@pytest.mark.parametrize(
    ("forget", "expected"),
    [
        (
            "fov_style_inferred == truncated and age >= 60",
            lambda t: (t.fov_style_inferred == "truncated") & (t.age >= 60),
        ),
        ("acquisition_flags == lens dust", lambda t: t.acquisition_flags == "lens dust"),
        ("laterality == L and sex != Female", lambda t: (t.laterality == "L") & (t.sex != "Female")),
        ("eye_label not in [N, D] or age < 2", lambda t: ~t.eye_label.isin(["N", "D"]) | (t.age < 2)),
        ("age between 40 and 49", lambda t: t.age.between(40, 49)),
        ("keywords contains cataract", lambda t: t.keywords.str.contains("cataract", regex=False)),
        (
            "keywords matches /^(mild|moderate) .*retinopathy/i",
            lambda t: t.keywords.str.match("(?i)(mild|moderate) .*retinopathy"),
        ),
        ("sex ~= FEMALE and laterality == R", lambda t: (t.sex == "Female") & (t.laterality == "R")),
        ("zscore(age) by (eye_label) > 2", lambda t: t.groupby("eye_label").age.transform(stats.zscore) > 2),
    ],
)
def test_predicates_on_the_real_table(odir, forget, expected):
    table, index = odir
    spec = CohortSpec.parse(f"schema_version: 1\nname: odir\nreason: other\nforget: {forget}\n")
    frame = table.assign(age=table["age"].astype(float))
    wanted = frame.loc[expected(frame), "filename"]
    assert spec.resolve(index).image_ids["forget"] == sorted(wanted)


def test_lens_dust_on_the_real_table(odir):
    table, index = odir
    dusty = table.loc[table["acquisition_flags"] == "lens dust", "patient_id"].unique()
    of_them = table["patient_id"].isin(dusty)
    cohort = ready("lens-dust").resolve(index)
    assert cohort.image_ids["forget"] == sorted(table.loc[of_them, "filename"])
    assert cohort.images == {"forget": of_them.sum(), "remain": (~of_them).sum(), "undetermined": 0}
    assert cohort.patients["forget"] == len(dusty)
    assert cohort.patients_in_both == 0


def test_half_of_one_diagnosis_on_the_real_table(odir):
    table, index = odir
    cohort = ready("half-of-one-diagnosis", {"diagnosis == glaucoma": "eye_label == G"}).resolve(index)
    affected = set(table.loc[table["eye_label"] == "G", "patient_id"])
    drawn = set(cohort.forget["patient"])
    assert drawn < affected
    assert len(drawn) == pytest.approx(len(affected) / 2, abs=3 * np.sqrt(len(affected)) / 2)
    wanted = table.loc[table["patient_id"].isin(drawn) & (table["eye_label"] == "G"), "filename"]
    assert cohort.image_ids["forget"] == sorted(wanted)


# Periorbital measurements.


@pytest.fixture(scope="module")
def periorbital(real_data, tmp_path_factory):
    table = pd.read_csv(real_data / "periorbital_masks" / "measurements.csv")
    kinds = {name: Kind.NUMBER for name in table.columns if name != "path"}
    frame = table.assign(image_id=table["path"], patient=table["celebamask_hq_id"].astype(str))
    return table, write_index(frame, tmp_path_factory.mktemp("periorbital") / "index", kinds=kinds)


def test_wide_palpebral_fissure_on_the_real_table(periorbital):
    table, index = periorbital
    cohort = ready("wide-palpebral-fissure").resolve(index)
    millimetres = (table["r_vpf"] + table["l_vpf"]) / 2 * 11.7
    assert cohort.image_ids["forget"] == sorted(table.loc[millimetres > 11, "path"])
    assert cohort.image_ids["undetermined"] == sorted(table.loc[millimetres.isna(), "path"])
    assert cohort.images["remain"] == (millimetres <= 11).sum()


@pytest.mark.parametrize("column", ["r_vpf", "ipd", "icd", "r_canthal_tilt_deg"])
def test_outliers_on_the_real_table(periorbital, column):
    table, index = periorbital
    values = table[column].to_numpy()
    scale = stats.median_abs_deviation(values, nan_policy="omit")
    distance = np.abs(0.6745 * (values - np.nanmedian(values)) / scale)
    spec = ready("brain-volume-outliers", {"brain_volume) by (sex)": f"{column})"})
    cohort = spec.resolve(index)
    assert cohort.images["forget"] > 0
    assert cohort.image_ids["forget"] == sorted(table.loc[distance > 3.5, "path"])
    assert cohort.image_ids["undetermined"] == sorted(table.loc[np.isnan(distance), "path"])


@pytest.mark.parametrize(
    ("forget", "expected"),
    [
        ("zscore(icd) > 3", lambda t: stats.zscore(t.icd, nan_policy="omit") > 3),
        (
            "percentile_rank(ipd) > 99",
            lambda t: t.ipd.map(lambda v: stats.percentileofscore(t.ipd.dropna(), v, kind="weak")) > 99,
        ),
        (
            "iqr_distance(l_vpf) > 1.5",
            lambda t: (
                (t.l_vpf > t.l_vpf.quantile(0.75) + 1.5 * stats.iqr(t.l_vpf, nan_policy="omit"))
                | (t.l_vpf < t.l_vpf.quantile(0.25) - 1.5 * stats.iqr(t.l_vpf, nan_policy="omit"))
            ),
        ),
        (
            "abs(r_vpf - l_vpf) / max(r_vpf, l_vpf) > 0.25",
            lambda t: (t.r_vpf - t.l_vpf).abs() / t[["r_vpf", "l_vpf"]].max(axis=1) > 0.25,
        ),
    ],
)
def test_statistics_on_the_real_table(periorbital, forget, expected):
    table, index = periorbital
    spec = CohortSpec.parse(f"schema_version: 1\nname: lids\nreason: other\nforget: {forget}\n")
    wanted = sorted(table.loc[expected(table), "path"])
    assert 0 < len(wanted) < 200
    assert spec.resolve(index).image_ids["forget"] == wanted


# Head MR of five scanners, read with pydicom.


@pytest.fixture(scope="module")
def scanners(real_data, tmp_path_factory):
    index = build(
        BuildRequest(sources=(real_data / "dicom_mr",), out=tmp_path_factory.mktemp("mr") / "index"), track=iter
    )
    files = (path for path in (real_data / "dicom_mr").rglob("*") if path.is_file())
    tags = ("SOPInstanceUID", "ManufacturerModelName", "StationName", "AcquisitionDate", "StudyDate", "PatientAge")
    rows = []
    for path in files:
        dataset = pydicom.dcmread(path, stop_before_pixels=True, force=False) if is_dicom(path) else None
        if dataset is not None:
            rows.append({tag: dataset.get(tag) for tag in tags})
    return pd.DataFrame(rows), index.index


def is_dicom(path):
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def dates_of(table):
    """The days on which images were taken; `***`, which a uMR 770 writes, is not a date."""
    known = [pd.to_datetime(table[tag], format="%Y%m%d", errors="coerce") for tag in ("AcquisitionDate", "StudyDate")]
    return known[0].fillna(known[1])


def test_retire_cameras_on_five_scanners(scanners):
    table, index = scanners
    cohort = ready("retire-camera", {"device == Cirrus 800 FA": "device in [TrioTim, Prisma, Skyra]"}).resolve(index)
    siemens = table["ManufacturerModelName"].isin(["TrioTim", "Prisma", "Skyra"])
    assert cohort.image_ids["forget"] == sorted(table.loc[siemens, "SOPInstanceUID"])
    assert cohort.images == {"forget": siemens.sum(), "remain": (~siemens).sum(), "undetermined": 0}


def test_exam_year_on_five_scanners(scanners):
    table, index = scanners
    cohort = ready("exam-year", {"2015": "2018"}).resolve(index)
    taken = dates_of(table)
    assert cohort.image_ids["forget"] == sorted(table.loc[taken.dt.year == 2018, "SOPInstanceUID"])
    assert cohort.image_ids["undetermined"] == sorted(table.loc[taken.isna(), "SOPInstanceUID"])
    assert set(cohort.undetermined["ManufacturerModelName"]) == {"uMR 770"}


def test_one_station_between_dates_on_five_scanners(scanners):
    table, index = scanners
    adapted = {"OPHTH-03": "UIHMR", "2018-03-01": "2010-01-01", "2018-06-30": "2020-12-31"}
    with pytest.raises(CohortError, match="is empty"):  # its dates are all `***`
        ready("one-station-between-dates", adapted).resolve(index)
    cohort = ready("one-station-between-dates", {**adapted, "OPHTH-03": "MRC35131"}).resolve(index)
    here = table["StationName"] == "MRC35131"
    assert cohort.image_ids["forget"] == sorted(table.loc[here, "SOPInstanceUID"])
    # Another station is another station, whatever its dates say.
    assert cohort.images == {"forget": here.sum(), "remain": (~here).sum(), "undetermined": 0}


def test_ages_on_five_scanners(scanners):
    table, index = scanners
    spec = CohortSpec.parse("schema_version: 1\nname: ages\nreason: other\nforget: age >= 30\n")
    years = pd.to_numeric(table["PatientAge"].str.extract(r"^(\d{3})Y$")[0])
    cohort = spec.resolve(index)
    assert cohort.image_ids["forget"] == sorted(table.loc[years >= 30, "SOPInstanceUID"])
    # 000Y is what an anonymiser writes, not the age of a newborn.
    unknown = years.isna() | (years == 0) | (years >= 120)
    assert cohort.image_ids["undetermined"] == sorted(table.loc[unknown, "SOPInstanceUID"])
