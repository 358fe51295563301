"""The specs to start from, each on data."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from cohort_index import make_index

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.fields import Kind
from monai_unlearn.index import write_index

FOLDER = Path(__file__).parents[2] / "cohort_specs"
SPECS = sorted(FOLDER.glob("*.yaml"))


def test_there_are_specs():
    assert {path.name for path in SPECS} >= {"retire-camera.yaml", "odir-truncated-field.yaml"}


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_each_is_valid_named_as_its_file_and_says_what_it_is_for(path):
    assert CohortSpec.read(path).name == path.stem
    assert path.read_text(encoding="utf-8").startswith("# ")


def test_retire_camera(tmp_path):
    columns = {"ManufacturerModelName": ["Cirrus 800 FA", "Spectralis", None], "StudyDate": [None, None, None]}
    index = make_index(tmp_path / "index", columns, {"ManufacturerModelName": Kind.TEXT, "StudyDate": Kind.DATE})
    cohort = CohortSpec.read(FOLDER / "retire-camera.yaml").resolve(index)
    assert cohort.image_ids == {"forget": ["i00"], "remain": ["i01"], "undetermined": ["i02"]}


def test_odir_truncated_field(tmp_path):
    columns = {
        "eye_label": ["N", "D", "H", None, "N", "M"],
        "fov_style_inferred": ["truncated", "full_circle", "truncated", "truncated", None, "truncated"],
    }
    index = make_index(tmp_path / "index", columns, dict.fromkeys(columns, Kind.TEXT), label="eye_label")
    cohort = CohortSpec.read(FOLDER / "odir-truncated-field.yaml").resolve(index)
    assert cohort.image_ids == {"forget": ["i00", "i05"], "remain": ["i01"], "undetermined": ["i03", "i04"]}


# Real data: the counts are pandas', found without any code of the cohort room.


@pytest.fixture(scope="module")
def odir(real_data, tmp_path_factory):
    table = pd.read_csv(real_data / "fundus_odir" / "metadata.csv", dtype=str, keep_default_na=False, na_values=[""])
    numbers = {"age"}
    frame = table.assign(image_id=table["filename"], patient=table["patient_id"], age=table["age"].astype(float))
    frame = frame.drop(columns=["patient_id"])
    kinds = {
        name: Kind.AGE if name in numbers else Kind.TEXT
        for name in frame.columns
        if name not in {"image_id", "patient"}
    }
    index = write_index(frame, tmp_path_factory.mktemp("odir") / "index", kinds=kinds, label="eye_label")
    return table, index


def test_odir_truncated_field_on_the_real_table(odir):
    table, index = odir
    cohort = CohortSpec.read(FOLDER / "odir-truncated-field.yaml").resolve(index)
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
    ],
)
def test_predicates_on_the_real_table(odir, forget, expected):
    table, index = odir
    spec = CohortSpec.parse(f"schema_version: 1\nname: odir\nreason: other\nforget: {forget}\n")
    frame = table.assign(age=table["age"].astype(float))
    wanted = frame.loc[expected(frame), "filename"]
    assert spec.resolve(index).image_ids["forget"] == sorted(wanted)


def test_lens_dust_by_patient_on_the_real_table(odir):
    table, index = odir
    spec = CohortSpec.parse(
        "schema_version: 1\nname: dust\nreason: other\nforget: acquisition_flags == lens dust\n"
        "scope: patient\nunknown: remain\n"
    )
    dusty = table.loc[table["acquisition_flags"] == "lens dust", "patient_id"].unique()
    cohort = spec.resolve(index)
    assert cohort.image_ids["forget"] == sorted(table.loc[table["patient_id"].isin(dusty), "filename"])
    assert cohort.patients_in_both == 0
