"""Damaged files never crash, hang or fill memory, and each has a row. 500; 10,000 if HYPOTHESIS_PROFILE=nightly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import mutants_reading
import pytest
from mutants_files import mutants, originals

from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.index.fast_readers.plain import read_plain
from monai_unlearn.index.fast_readers.values import OddFileError
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.readers import file_columns, read_file
from monai_unlearn.index.readers.row import read_columns
from monai_unlearn.index.usable import usable_mask

COUNT = 10_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 500
SECONDS_A_FILE = 10
MEGABYTES = 200


@pytest.fixture(scope="module")
def damaged(tmp_path_factory) -> Path:
    """A folder of damaged files with names of images."""
    folder = tmp_path_factory.mktemp("mutants")
    files = originals(tmp_path_factory.mktemp("phantoms") / "study", real_data=os.environ.get("MONAI_UNLEARN_DATA"))
    assert len(files) > 50
    for number, content in enumerate(mutants(files, count=COUNT)):
        (folder / f"{number:05d}.dcm").write_bytes(content)
    return folder


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited and measured in the way of Linux")
def test_every_damaged_file_is_read_in_time_and_within_memory(damaged):
    command = [sys.executable, mutants_reading.__file__, str(damaged), str(SECONDS_A_FILE), str(MEGABYTES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60 + COUNT)
    assert done.returncode == 0, f"ended with {done.returncode}: {done.stderr[-2000:]}"
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert len(found["rows"]) == COUNT
    assert found["peak"] < MEGABYTES
    faults = [row.get("fault") for row in found["rows"].values()]
    assert all(fault is None or Fault.of(fault) for fault in faults)
    # What is read of a patient besides is settled, and dropped, before a row is stored.
    known = {*file_columns(), *read_columns()}
    assert all(set(row) <= known for row in found["rows"].values())
    # There are many kinds of damage, and some of it is harmless.
    assert len(set(faults)) >= 8
    assert 0.02 < faults.count(None) / COUNT < 0.6


def test_fast_reader_agrees_with_pydicom_on_damaged_files_or_leaves_them_to_it(damaged):
    agreed = 0
    for path in sorted(damaged.iterdir()):
        try:
            plain = read_plain(str(path))
        except OddFileError:
            continue
        row = read_file(path)
        assert {name: plain.get(name) for name in file_columns()} == {name: row.get(name) for name in file_columns()}
        agreed += 1
    assert agreed > 0.02 * COUNT


def test_every_damaged_file_has_a_row_in_the_index(damaged, tmp_path):
    report = build(BuildRequest(sources=(damaged,), out=tmp_path / "index"), track=iter)
    frame = report.index.frame(["path", "fault", "image_id"])
    assert sorted(Path(path).name for path in frame["path"]) == sorted(path.name for path in damaged.iterdir())
    usable = frame[usable_mask(frame)]
    assert len(usable) == report.index.images
    assert usable["image_id"].is_unique


def test_damage_is_reproducible(tmp_path):
    files = [bytes(range(256)) * 8, b"words" * 99]
    assert list(mutants(files, count=50)) == list(mutants(files, count=50))
    assert len(set(mutants(files, count=50))) > 40
