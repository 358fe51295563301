"""Inputs that went wrong in hospitals: laterality, private and nested tags, and tags that nothing fills."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.index.build_view import render
from monai_unlearn.index.scan.extra_tags import ExtraTags
from monai_unlearn.index.scan.options import ScanOptions
from monai_unlearn.index.tables.from_table import TableRequest, index_table
from monai_unlearn.index.tables.key import Key
from monai_unlearn.index.tables.read_table import read_table

CASES = os.environ.get("MONAI_UNLEARN_CASES")
pytestmark = pytest.mark.skipif(CASES is None, reason="MONAI_UNLEARN_CASES does not name the folder of cases")


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases")
    subprocess.run([sys.executable, Path(CASES) / "dicom_trouble.py", folder], check=True)
    return folder


def built(folder, out, *tags):
    extra_tags = ExtraTags.of(tags, raw_values=False, pseudonyms=None)
    request = BuildRequest(sources=(folder,), out=out, scan=ScanOptions(workers=1, extra_tags=extra_tags))
    return build(request, track=iter)


def forgotten(index, predicate, **more):
    spec = {"schema_version": 1, "name": "t", "reason": "other", "forget": predicate, **more}
    found = CohortSpec.parse(yaml.safe_dump(spec), source="t.yaml").resolve(index)
    names = dict(index.frame(["image_id", "patient"]).to_numpy())
    return {part: sorted(names[image] for image in images) for part, images in found.image_ids.items() if images}


def test_laterality_is_one_field(cases, tmp_path):
    index = built(cases / "lat", tmp_path / "index").index
    frame = index.frame(["patient", "laterality", "fault"]).astype(object).where(lambda f: f.notna(), None)
    assert {patient: (side, fault) for patient, side, fault in frame.to_numpy()} == {
        "L1": ("L", None),
        "L2": ("L", None),
        "L3": ("L", None),
        "L4": (None, None),
        "L5": ("L", None),
        "L6": ("L", None),
        "L7": (None, "contradicting_laterality"),
        "L8": ("B", None),
        "L9": ("R", None),
    }
    assert forgotten(index, "laterality == L") == {
        "forget": ["L1", "L2", "L3", "L5", "L6"],
        "remain": ["L8", "L9"],
        "undetermined": ["L4", "L7"],
    }


@pytest.fixture(scope="module")
def mixed(cases, tmp_path_factory):
    """Index the images of `misc`, and others that none of their tags have."""
    tags = ("AnatomicRegionSequence.CodeMeaning", "OperatorsName", "TransferSyntaxUID", "ContrastBolusAgent")
    extra_tags = ExtraTags.of(tags, raw_values=False, pseudonyms=None)
    request = BuildRequest(
        sources=(cases / "misc", cases / "lat"),
        out=tmp_path_factory.mktemp("mixed") / "index",
        scan=ScanOptions(workers=1, extra_tags=extra_tags),
    )
    return build(request, track=iter).index


@pytest.mark.parametrize(
    ("predicate", "m1", "m2"),
    [
        ("`AnatomicRegionSequence.CodeMeaning` == Retina", "forget", "undetermined"),
        ("OperatorsName == 'Op^One'", "forget", "remain"),
        ("SoftwareVersions == 'BOOT 2'", "forget", "undetermined"),
        ("TransferSyntaxUID == 1.2.840.10008.1.2.1 and OperatorsName == 'Op^Two'", "remain", "forget"),
        ("SliceThickness >= 2", "remain", "forget"),
        ("ContrastBolusAgent == Fluorescein", "forget", "undetermined"),
    ],
)
def test_tags_are_found_where_they_are(predicate, m1, m2, mixed):
    found = forgotten(mixed, f"({predicate}) and patient != L8", population="patient in [M1, M2, L8]")
    assert [next(part for part, patients in found.items() if name in patients) for name in ("M1", "M2")] == [m1, m2]


def test_tag_that_no_file_has_is_said(cases, tmp_path):
    tags = ("SourceApplicationEntityTitle", '(0019,"GEMS_ACQU_01",10)', "ContrastBolusAgent")
    assert built(cases / "misc", tmp_path / "index", *tags).document()["tags"] == {
        "SourceApplicationEntityTitle": {"images": 0, "of": 2, "invalid": 0},
        '(0019,"GEMS_ACQU_01",10)': {"images": 0, "of": 2, "invalid": 0},
        "ContrastBolusAgent": {"images": 1, "of": 2, "invalid": 0},
    }


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("semi.csv", "got a header separated by semicolons. Read it with: --delimiter ';'"),
        ("ragged.csv", "not a well-formed CSV in line 14: expected 3 values as in the header, got 2"),
        ("quote.csv", "not a well-formed CSV in line 14: a quote that opens there is never closed"),
    ],
)
def test_odd_tables_are_refused_with_what_is_odd(name, message, tmp_path):
    table = Path(CASES) / "tables" / name
    with pytest.raises(IndexReadError, match=message):
        index_table(TableRequest(table=table, id_column="file", out=tmp_path / "index"))
    with pytest.raises(IndexReadError, match=message):
        read_table(table)


def test_table_of_semicolons_is_read_with_its_delimiter(tmp_path):
    request = TableRequest(table=Path(CASES) / "tables" / "semi.csv", id_column="file", out=tmp_path, delimiter=";")
    frame = index_table(request).index.frame(["image_id", "diag", "pat"])
    assert frame.iloc[0].tolist() == ["0_left.jpg", "a", "p0"]


def test_escape_sequences_of_a_table_reach_no_terminal(tmp_path, make_image, capsys):
    make_image(tmp_path / "in" / "[bold]markup.jpg")
    table = Path(CASES) / "tables" / "08_ansi.csv"
    request = BuildRequest(sources=(tmp_path / "in",), out=tmp_path / "i", keys=(Key(table, "file"),), label="diag")
    render(build(request, track=iter))
    out = capsys.readouterr().out
    assert "1 of 5 rows matched" in out
    assert "\x1b" not in out
    assert "\x07" not in out
