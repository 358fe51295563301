"""Withdrawn identifiers that are spelt otherwise than in the archive: small inputs of `MONAI_UNLEARN_CASES`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.errors import CohortError
from monai_unlearn.index.build import BuildRequest, build

LISTED = "[0012345, MRN-0077, A17, '12346', '12346.0', '0077']"


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    cases = os.environ.get("MONAI_UNLEARN_CASES")
    if not cases:
        pytest.skip("MONAI_UNLEARN_CASES names no folder with the small inputs")
    folder = tmp_path_factory.mktemp("trouble")
    # It changes settings of pydicom, so it runs by itself.
    subprocess.run([sys.executable, str(Path(cases) / "dicom_trouble.py"), str(folder / "files")], check=True)
    return build(BuildRequest(sources=(folder / "files" / "consent",), out=folder / "index"), track=iter).index


def spec(reason, more=""):
    head = f"schema_version: 1\nname: gone\nreason: {reason}\nforget: patient in @gone\n"
    return CohortSpec.parse(f"{head}value_sets: {{gone: {LISTED}}}\n{more}")


def test_half_of_a_list_that_matches_nothing_is_counted_and_explained(archive):
    cohort = spec("other").resolve(archive)
    assert cohort.images == {"forget": 3, "remain": 5, "undetermined": 0}
    (entry,) = cohort.preview()["value_lists"]
    assert (entry["list"], entry["values"], entry["matched"]) == ("@gone", 6, 3)
    assert entry["near"] == {"case": 0, "spaces": 0, "compatibility": 0, "leading_zeros": 1, "decimal": 1, "affix": 1}
    assert cohort.manifest["value_lists"] == [entry]


def test_consent_is_not_withdrawn_for_half_of_a_list(archive):
    with pytest.raises(CohortError, match="found 3 of 6. Near misses: 1 by leading zeros, 1 by decimals such as .0, 1"):
        spec("consent_withdrawal").resolve(archive)
    known = spec("consent_withdrawal", "absent: ['12346', '12346.0', '0077']\n").resolve(archive)
    assert known.images["forget"] == 3
    with pytest.raises(CohortError, match="expected no value under absent: to occur in the index"):
        spec("consent_withdrawal", "absent: ['12346', '12346.0', '0077', A17]\n").resolve(archive)
