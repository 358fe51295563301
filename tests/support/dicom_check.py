"""The findings of dciodvfy for a DICOM file."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pydicom import Dataset, dcmwrite


def faults(ds: Dataset, path: Path, *, kind: str) -> dict[str, list[str]]:
    """Write a file, and return its errors and warnings; the tool must recognise it as `kind`."""
    beside_python = Path(sys.executable).with_name("dciodvfy")
    checker = str(beside_python) if beside_python.exists() else shutil.which("dciodvfy")
    if not checker:
        pytest.skip("dciodvfy (package dicom3tools) is not installed")
    dcmwrite(path, ds, enforce_file_format=True)
    report = subprocess.run([checker, str(path)], capture_output=True, text=True, check=False).stderr
    assert kind in report.splitlines()
    return {word: [line for line in report.splitlines() if line.startswith(word)] for word in ("Error", "Warning")}
