"""Specs as clinicians write them select what pandas selects, which knows the documentation and not the package.

Those of `cohort_specs/idc/` run on a small table of IDC's shape here, and on the real one in
`benchmarks/clinician_specs.py`. The others run on the real data that `MONAI_UNLEARN_DATA` names.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.cohort import CohortSpec
from monai_unlearn.index import Index

ROOT = Path(__file__).resolve().parents[2]
SPECS = ROOT / "cohort_specs"
sys.path.append(str(ROOT / "benchmarks"))

import clinician_specs  # noqa: E402 - scripts, and no package
import idc_answers  # noqa: E402
from pandas_answers import (  # noqa: E402
    age_of,
    contains,
    is_one_of,
    known,
    like,
    mad_z,
    mapped,
    matches,
    parts,
    percentile_rank,
    plausible_age,
    plausible_day,
    zscore,
)

TODAY = pd.Timestamp.today().normalize()
FOLDERS = ("idc", "fundus_odir", "dicom_mr", "periorbital_masks", "brain_mri")


def command(*words):
    result = CliRunner().invoke(app, list(map(str, words)))
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("path", sorted(SPECS.glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_each_is_named_as_its_file_and_says_what_it_is_for(path):
    assert CohortSpec.read(path).name == path.stem
    assert path.parent.name in FOLDERS
    assert path.read_text(encoding="utf-8").startswith("# ")


def test_there_are_more_than_thirty():
    assert {path.stem for path in (SPECS / "idc").glob("*.yaml")} == set(idc_answers.ANSWERS)
    assert len(list(SPECS.glob("*/*.yaml"))) > 30


# A small table of IDC's shape: its odd values, and what the specs ask for.

SOP_CLASSES = {
    "CT": ("CT Image Storage", "1.2.840.10008.5.1.4.1.1.2"),
    "MR": ("MR Image Storage", "1.2.840.10008.5.1.4.1.1.4"),
    "PT": ("Positron Emission Tomography Image Storage", "1.2.840.10008.5.1.4.1.1.128"),
    "MG": ("Breast Tomosynthesis Image Storage", "1.2.840.10008.5.1.4.1.1.13.1.3"),
    "CR": ("Computed Radiography Image Storage", "1.2.840.10008.5.1.4.1.1.1"),
    "DX": ("Digital X-Ray Image Storage - For Presentation", "1.2.840.10008.5.1.4.1.1.1.1"),
    "SM": ("VL Whole Slide Microscopy Image Storage", "1.2.840.10008.5.1.4.1.1.77.1.6"),
    "SEG": ("Segmentation Storage", "1.2.840.10008.5.1.4.1.1.66.4"),
    "SR": ("Enhanced SR Storage", "1.2.840.10008.5.1.4.1.1.88.22"),
    "RTSTRUCT": ("RT Structure Set Storage", "1.2.840.10008.5.1.4.1.1.481.3"),
    "ANN": ("Microscopy Bulk Simple Annotations Storage", "1.2.840.10008.5.1.4.1.1.91.1"),
    "M3D": ("Encapsulated STL Storage", "1.2.840.10008.5.1.4.1.1.104.3"),
    "RTDOSE": ("RT Dose Storage", "1.2.840.10008.5.1.4.1.1.481.2"),
    "PR": ("Grayscale Softcopy Presentation State Storage", "1.2.840.10008.5.1.4.1.1.11.1"),
}
COLLECTIONS = ["nlst", "ct_colonography", "lidc_idri", "acrin_nsclc_fdg_pet", "fdg_pet_ct_lesions", "ispy1", "eay131"]
POOLS = {
    "ManufacturerModelName": [
        *("Volume Zoom", "Biograph64", "Biograph 64", "BIOGRAPH_64", "Biograph\u201164", "Biograph 6"),
        *("Signa HDxt", "Signa  HDxt", "SIGNA HDx", " Volume Zoom ", "", "NA", None),
    ],
    "Manufacturer": [
        *("SIEMENS", "Siemens", "Siemens Corporate Research", "SIEMENS NM", "GE MEDICAL SYSTEMS", "GE Medical Systems"),
        *("GE Healthcare", "GE HEALTHCARE", "GE MEDICAL SYSTEMS, NUCLEAR", "HOLOGIC, Inc.", "nan", " n/a", None),
    ],
    "SeriesDescription": [
        *("AX STIR", "AX  STIR", "Ax STIR", "AX\u00a0STIR", "AX_STIR", "Topogram  0.6  T20s", "Topogram 0.6 T20s"),
        *("Topogram  1.0  T20s", "TotalSegmentator(v1.5.6) Segmentation of Series 2", "TotalSegmentator(v2.0) x"),
        *("SliceInc-\0_B", "SliceInc-\0_C", "None", "NONE of it", None),
    ],
    "StudyDescription": ["MRI BREAST", "MR mammae", "breast", "CT", "NULL", None],
    "BodyPartExamined": ["BREAST", "CHEST", "", None],
    "PatientAge": ["000Y", "017Y", "018Y", "204M", "216M", "075Y", "090Y", "120Y", "999Y", "12", "***", "001D", None],
    "PatientSex": ["F", "M", "O", "0000", None],
    "StudyDate": [
        *("2000-01-01", "2000-06-30", "2000-07-01", "2010-03-17", "2010-03-16", "2010-09-13", "2010-09-14"),
        *("1880-09-09", "1900-01-01", "1900-09-09", "2999-12-31", "2001-02-28", "2002-03-01", None),
    ],
    "SeriesDate": ["2000-01-01", "2000-01-08", "2000-01-09", "2010-03-24", "1900-01-01", "2001-02-20", None],
    "SeriesNumber": ["1", "99", "100", "0100", "199", "200", "1999", "10.5", None],
}
ROWS = 4_000


@pytest.fixture(scope="module")
def small_idc(tmp_path_factory):
    """Write a table as IDC's; return it, and an index of it without and with derived objects."""
    random = np.random.default_rng(13)
    patient = np.sort(random.integers(1, 300, ROWS))
    study = patient * 10 + random.integers(0, 3, ROWS)
    modality = random.choice([*SOP_CLASSES, *["SM"] * 5], ROWS)
    table = {name: pd.Series(pool, dtype=object).sample(ROWS, replace=True, random_state=random).to_list()
             for name, pool in POOLS.items()}  # fmt: skip
    frame = pd.DataFrame(table).assign(
        collection_id=[COLLECTIONS[number % len(COLLECTIONS)] for number in patient],
        PatientID=[f"LIDC-IDRI-{n:04d}" if n % 7 in {2, 3, 4, 5} else f"P{n}" for n in patient],
        StudyInstanceUID=[f"1.2.{number}" for number in study],
        SeriesInstanceUID=[f"1.2.3.{number}" for number in range(ROWS)],
        Modality=modality,
        sop_class_name=[SOP_CLASSES[one][0] for one in modality],
        SOPClassUID=[SOP_CLASSES[one][1] for one in modality],
        instanceCount=random.integers(0, 300, ROWS),
        series_size_MB=random.lognormal(2, 2.5, ROWS),
    )
    # One collection has outliers of age.
    old = frame["collection_id"] == "eay131"
    frame.loc[old, "PatientAge"] = random.choice([*["060Y", "061Y"] * 20, "001D"], int(old.sum()))
    folder = tmp_path_factory.mktemp("idc")
    frame.to_parquet(folder / "idc.parquet")
    for name, more in (("plain", ()), ("derived", ("--include-derived",))):
        words = ("--id", "SeriesInstanceUID", "--out", folder / name, *more)
        command("index", "from-table", folder / "idc.parquet", *words)
    return {
        derived: (
            idc_answers.table_of(folder / "idc.parquet", TODAY, derived=derived),
            Index.open(folder / ("derived" if derived else "plain")),
        )
        for derived in (False, True)
    }


@pytest.mark.parametrize("name", idc_answers.ANSWERS)
def test_on_a_small_table_of_the_shape_of_idc(name, small_idc):
    table, index = small_idc[name in idc_answers.OF_DERIVED]
    assert index.images == len(table)
    counts = clinician_specs.compared(name, table, index)["images"]
    assert counts["forget"] > 0
    assert counts["remain"] > 0


def test_another_answer_is_noticed(small_idc, monkeypatch):
    table, index = small_idc[False]
    monkeypatch.setitem(idc_answers.ANSWERS, "children", lambda t: t["recorded_age"] < 18)
    with pytest.raises(ValueError, match=r"children: pandas has \d+ series of \d+ patients in forget"):
        clinician_specs.compared("children", table, index)


# Fundus photographs with a table, faces with measurements.


@pytest.fixture(scope="module")
def fundus(real_data, tmp_path_factory):
    out, path = tmp_path_factory.mktemp("fundus") / "index", real_data / "fundus_odir" / "metadata.csv"
    command("index", "from-table", path, "--id", "filename", "--rename", "PatientID=patient_id", "--out", out)
    texts = dict.fromkeys(("patient_id", "laterality", "sex", "keywords", "eye_label", "acquisition_flags"), "string")
    return pd.read_csv(path, dtype=texts), Index.open(out)


@pytest.fixture(scope="module")
def faces(real_data, tmp_path_factory):
    out, path = tmp_path_factory.mktemp("faces") / "index", real_data / "periorbital_masks" / "measurements.csv"
    command("index", "from-table", path, "--id", "path", "--out", out)
    return pd.read_csv(path), Index.open(out)


def flagged(t):
    return t["acquisition_flags"].notna() & is_one_of(t["acquisition_flags"], "lens dust", "low image quality")


def old_or_severe(t):
    old = is_one_of(t["eye_label"], "D") & (t["age"] >= 75)
    return (old | contains(t["keywords"], "severe nonproliferative")) & ~contains(t["keywords"], "laser spot")


def wide_set(t):
    icd = t["icd"].quantile([0.25, 0.75])
    outside = (t["icd"] - icd[0.75]).clip(lower=0) + (icd[0.25] - t["icd"]).clip(lower=0)
    far = outside / (icd[0.75] - icd[0.25])
    score = zscore(t["ipd"])
    return known(score > 2.5, score) | known(far > 1.5, far)


def unusual(t):
    far = mad_z((t["r_vpf"] + t["l_vpf"]) / 2).abs()
    return known(far > 3.5, far)


FUNDUS = {
    "cataract-in-left-eyes": lambda t: is_one_of(t["laterality"], "L") & contains(t["keywords"], "cataract"),
    "placeholder-ages": lambda t: t["age"] < 2,
    "flagged-photographs": flagged,
    "old-or-severe": old_or_severe,
    "darkest-photographs": lambda t: percentile_rank(t["mean_gray"], t["fov_style_inferred"]) < 1,
    "withdraw-three": lambda t: is_one_of(t["patient_id"], "17", "46", "1133"),
    "half-of-glaucoma": lambda t: is_one_of(t["eye_label"], "G"),
}
FACES = {
    "unusual-fissures": unusual,
    "wide-set-eyes": wide_set,
    "brow-not-measured": lambda t: t["r_brow_h"].isna() & t["r_vpf"].notna(),
}


def found(folder, name, index):
    cohort = CohortSpec.read(SPECS / folder / f"{name}.yaml").resolve(index)
    assert cohort.images["forget"] > 0
    return {part: set(ids) for part, ids in cohort.image_ids.items()}


@pytest.mark.parametrize("name", [name for name in FUNDUS if name != "half-of-glaucoma"])
def test_on_fundus_photographs(name, fundus):
    table, index = fundus
    spec = SPECS / "fundus_odir" / f"{name}.yaml"
    expected = parts(spec, table, FUNDUS[name](table), image="filename", units={"patient": "patient_id"})
    assert found("fundus_odir", name, index) == expected


def test_a_sample_of_patients_on_fundus_photographs(fundus):
    table, index = fundus
    glaucoma = table[table["eye_label"] == "G"]
    drawn = found("fundus_odir", "half-of-glaucoma", index)["forget"]
    of = glaucoma[glaucoma["filename"].isin(drawn)]
    assert set(of["filename"]) == drawn == set(glaucoma.loc[glaucoma["patient_id"].isin(of["patient_id"]), "filename"])
    assert of["patient_id"].nunique() == 100
    # Each sex has its share of the hundred, to within a patient.
    sexes = glaucoma.groupby("sex")["patient_id"].nunique()
    assert of.groupby("sex")["patient_id"].nunique().to_numpy() == pytest.approx(100 * sexes / sexes.sum(), abs=1)


@pytest.mark.parametrize("name", FACES)
def test_on_faces(name, faces):
    table, index = faces
    spec = SPECS / "periorbital_masks" / f"{name}.yaml"
    assert found("periorbital_masks", name, index) == parts(spec, table, FACES[name](table), image="path", units={})


# Head MR of five scanners, read with pydicom.

MR_TAGS = (
    *("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "PatientID", "Manufacturer", "StationName"),
    *("SoftwareVersions", "ImageType", "SeriesDescription", "ProtocolName", "PatientAge", "AcquisitionDate"),
    *("StudyDate", "MagneticFieldStrength", "SliceThickness"),
)
DATES = ("AcquisitionDate", "StudyDate")


@pytest.fixture(scope="module")
def scanners(real_data, tmp_path_factory):
    out = tmp_path_factory.mktemp("mr") / "index"
    command("index", "build", real_data / "dicom_mr", "--out", out, "--workers", 1)
    rows = []
    for path in (real_data / "dicom_mr").rglob("*"):
        if path.is_file() and path.read_bytes()[128:132] == b"DICM":
            dataset = pydicom.dcmread(path, stop_before_pixels=True)
            rows.append({tag: one_text(dataset.get(tag)) for tag in MR_TAGS})
    table = pd.DataFrame(rows).astype("string")
    days = {tag: pd.to_datetime(table[tag], format="%Y%m%d", errors="coerce") for tag in DATES}
    return table.assign(
        # `***` names nobody.
        patient=table["PatientID"].where(table["PatientID"] != "***"),
        # The first tag that is present counts, even where it is no date.
        taken=plausible_day(days["StudyDate"].where(table["AcquisitionDate"].isna(), days["AcquisitionDate"]), TODAY),
        age=plausible_age(table["PatientAge"], mapped(table["PatientAge"], age_of).astype("Float64")),
        is_invalid=np.logical_or.reduce([table[tag].notna() & days[tag].isna() for tag in DATES]),
    ), Index.open(out)


def one_text(value):
    texts = value if isinstance(value, (list, pydicom.multival.MultiValue)) else [value]
    return "\\".join(map(str, texts)) if value is not None and value != "" else None


def has_value(values, *wanted):
    return mapped(values, lambda text: not set(wanted).isdisjoint(text.split("\\"))).astype("boolean")


def only(values, *wanted):
    return mapped(values, lambda text: set(text.split("\\")) <= set(wanted)).astype("boolean")


def one_release(t):
    """Return whether one of the versions begins with a number below 28; none does where no text is a version."""

    def earlier(text):
        versions = [re.match(r"[vV]?(\d+(?:\.\d+)*)(?![\d.])", part) for part in text.split("\\")]
        numbers = [float(version[1]) for version in versions if version]
        return min(numbers) < 28 if numbers else None

    return is_one_of(t["Manufacturer"], "GE MEDICAL SYSTEMS") & mapped(t["SoftwareVersions"], earlier).astype("boolean")


def number(values):
    return pd.to_numeric(values).astype("Float64")


SCANNERS = {
    "one-software-release": one_release,
    "mosaics": lambda t: has_value(t["ImageType"], "MOSAIC"),
    "original-epi": lambda t: only(t["ImageType"], "ORIGINAL", "PRIMARY", "EPI", "NONE"),
    "interleaved-series": lambda t: matches(t["SeriesDescription"], "interleaved", re.IGNORECASE),
    "from-thirty": lambda t: t["age"] >= 30,
    "one-year-or-one-station": lambda t: (
        known(t["taken"].dt.year == 2017, t["taken"]) | is_one_of(t["StationName"], "UIHMR")
    ),
    "thick-slices": lambda t: (number(t["MagneticFieldStrength"]) == 3) & (number(t["SliceThickness"]) >= 3),
    "withdraw-one": lambda t: is_one_of(t["patient"], "DEV"),
    "phase-encoding": lambda t: t["ProtocolName"].isin(["EPI PE=AP", "EPI PE=PA"]).astype("boolean"),
    "invalid-dates": lambda t: t["is_invalid"].astype("boolean"),
}
MR_UNITS = {"patient": "patient", "study": "StudyInstanceUID", "series": "SeriesInstanceUID"}


@pytest.mark.parametrize("name", SCANNERS)
def test_on_five_scanners(name, scanners):
    table, index = scanners
    spec = SPECS / "dicom_mr" / f"{name}.yaml"
    assert found("dicom_mr", name, index) == parts(
        spec, table, SCANNERS[name](table), image="SOPInstanceUID", units=MR_UNITS
    )


def test_like_on_five_scanners(scanners):
    table, index = scanners
    spec = CohortSpec.parse("schema_version: 1\nname: a\nreason: other\nforget: ProtocolName like FMRI mb-asc\n")
    expected = set(table.loc[like(table["ProtocolName"], "FMRI mb-asc").astype(bool), "SOPInstanceUID"])
    assert len(expected) == 1
    assert set(spec.resolve(index).image_ids["forget"]) == expected


# Slices without metadata.


def test_on_brain_slices(real_data, tmp_path):
    folder = real_data / "brain_mri" / "test"
    command("index", "build", folder, "--out", tmp_path / "index", "--workers", 1)
    cohort = CohortSpec.read(SPECS / "brain_mri" / "one-folder.yaml").resolve(Index.open(tmp_path / "index"))
    expected = set(map(str, (folder / "pituitary").iterdir()))
    assert set(cohort.forget["path"]) == expected
    assert cohort.images["undetermined"] == 0
    assert cohort.images["remain"] == len(list(folder.glob("*/*.jpg"))) - len(expected)
