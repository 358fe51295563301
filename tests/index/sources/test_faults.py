"""Faults between a pull and a real Orthanc lose nothing and double nothing: 30 of them here, 200 each night."""

from __future__ import annotations

from nightly import NIGHTLY
from script import load_script

from monai_unlearn.phantom import write_fundus_studies

FAULTS = 200 if NIGHTLY else 30


def test_nothing_is_lost_or_doubled(tmp_path, orthanc):
    orthanc.clear()
    write_fundus_studies(tmp_path / "studies", patients=8, size=64)
    orthanc.store(tmp_path / "studies")
    found = load_script("benchmarks/pacs_faults.py").injected_until(orthanc, tmp_path, faults=FAULTS)
    assert found["faults"] >= FAULTS
    assert found["indexes_that_differ"] == 0
