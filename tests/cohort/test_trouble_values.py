"""Values that are not what they seem: spellings, spaces, versions, ranges and ages, as hospitals have them.

The files are written by a script outside the repository, which `MONAI_UNLEARN_CASES` names.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cohort_index import make_spec
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.cohort.reports.explain import explain
from monai_unlearn.cohort.resolve.resolve import resolve_unguarded
from monai_unlearn.index import Index

TAGS = ("AccessionNumber", "OperatorsName", "PatientBirthDate")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    cases = os.environ.get("MONAI_UNLEARN_CASES")
    if not cases:
        pytest.skip("MONAI_UNLEARN_CASES is not set: the cases are not at hand")
    target = tmp_path_factory.mktemp("trouble")
    subprocess.run([sys.executable, Path(cases) / "dicom_trouble.py", target], check=True)
    return target


@pytest.fixture(scope="module")
def index_of(folder):
    made = {}

    def index(name):
        if name not in made:
            out = folder / f"index-{name}"
            words = ["index", "build", folder / name, "--out", out, "--workers", 1]
            words += [word for tag in TAGS for word in ("--tag", tag)]
            result = CliRunner().invoke(app, list(map(str, words)))
            assert result.exit_code == 0, result.output
            made[name] = Index.open(out)
        return made[name]

    return index


def _caught(index, forget, part="forget"):
    cohort = resolve_unguarded(make_spec(forget, "allow_empty_record: true\n"), index)
    return sorted(Path(path).stem for path in getattr(cohort, part)["path"])


@pytest.mark.parametrize(
    ("forget", "caught"),
    [
        ("device == Cirrus HD-OCT 5000", ["d1", "d2", "d3", "d7"]),
        ("device == Cirrus   HD-OCT 5000", ["d1", "d2", "d3", "d7"]),
        ("device == Cirrus HD\u20115000", []),
        ("device == Cirrus HD\u2011OCT 5000", ["d1", "d2", "d3", "d7"]),
        ("\"device == 'Cirrus HD-OCT 5000'\"", ["d1", "d2"]),
        ("\"device == 'Cirrus HD-OCT  5000'\"", ["d3"]),
        ("device ~= cirrus hd-oct 5000", ["d0", "d1", "d2", "d3", "d7"]),
        ("device like CirrusHDOCT5000", ["d0", "d1", "d2", "d3", "d4", "d6", "d7"]),
        ("device contains HD-OCT 5000", ["d0", "d1", "d2", "d3", "d7"]),
        ("device in [cirrus 5000, Spectralis]", ["d8"]),
    ],
)
def test_one_device_in_nine_spellings(index_of, forget, caught):
    assert _caught(index_of("device"), forget) == caught


def test_the_other_spellings_are_shown_with_their_images(index_of):
    index, spec = index_of("device"), make_spec("device == Cirrus HD-OCT 5000")
    (entry,) = spec.resolve(index).preview()["variants"]
    assert entry["variants"] == {
        "CIRRUS HD-OCT 5000": 1,
        "CIRRUS_HD-OCT_5000": 1,
        "Cirrus HD-OCT  5000": 1,
        "Cirrus HD\u2011OCT 5000": 1,
        "CirrusHDOCT5000": 1,
    }
    assert entry["caught"] == {"Cirrus HD-OCT 5000": 2, "Cirrus HD-OCT  5000": 1, "Cirrus HD\u2011OCT 5000": 1}
    assert explain(spec, index)["variants"] == [entry]


@pytest.mark.parametrize(
    ("forget", "caught"),
    [
        ("ProtocolName == Macula Cube 512x128", ["sw"]),
        ("\"ProtocolName == 'Macula Cube 512x128'\"", []),
        ("\"ProtocolName == 'Macula  Cube 512x128'\"", ["sw"]),
        ("ProtocolName like macula-cube 512x128", ["sw"]),
        ("version(SoftwareVersions) < 6.1", ["sw"]),
        ("version(SoftwareVersions) >= 6.0.4", ["sw"]),
        ("version(SoftwareVersions) > 6.0.4", []),
        ("version(SoftwareVersions) < 3", []),
        ("SoftwareVersions == BOOT 2", ["sw"]),
        ("AccessionNumber between 0004000 and 0005000", ["plain", "sw"]),
        ("AccessionNumber between 4712 and 5000", ["plain"]),
        ("AccessionNumber < 0005000", ["sw"]),
    ],
)
def test_spaces_versions_and_accession_ranges(index_of, forget, caught):
    assert _caught(index_of("misc"), forget) == caught


def test_a_birth_date_stands_in_for_an_age(index_of):
    assert "birth" in _caught(index_of("age"), "age == 8")
    assert "birth" in _caught(index_of("age"), "age < 18")
    assert "birth" not in _caught(index_of("age"), "missing(age)")
    assert "birth" in _caught(index_of("age"), "PatientAge < 18", "undetermined")
