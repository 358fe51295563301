"""Fuzz the reading of one file: any bytes must give a row with known faults, the same from every reader.

    python tests/fuzz/fuzz_readers.py [CORPUS] -max_total_time=300 -max_len=65536 -timeout=10 -rss_limit_mb=1024

Takes libFuzzer's options. Without a corpus it starts from the files that pydicom ships. pytest does not collect it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["pydicom", "monai_unlearn.index"]):
    from monai_unlearn.index.fast_readers.plain import read_plain
    from monai_unlearn.index.fast_readers.values import OddFileError
    from monai_unlearn.index.faults import Fault
    from monai_unlearn.index.readers import file_columns, read_file

SMALL = 32 * 1024
_FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-readers-"))
_FILE = _FOLDER / "input.dcm"


class DisagreementError(Exception):
    """Two readers disagree on a file, or one returns an unknown column."""


def test_one_input(data: bytes) -> None:
    """Read the bytes as a file."""
    _FILE.write_bytes(data)
    row = read_file(_FILE)
    code = row.get("fault")
    if code is not None:
        Fault.of(str(code))
    if not set(row) <= set(file_columns()):
        raise DisagreementError(sorted(set(row) - set(file_columns())))
    try:
        plain = read_plain(os.fspath(_FILE))
    except (OddFileError, OSError):
        return
    differing = [name for name in file_columns() if row.get(name) != plain.get(name)]
    if differing:
        raise DisagreementError(differing)


def seed(corpus: Path) -> None:
    """Copy small real files into an empty corpus."""
    import pydicom

    for number, path in enumerate(sorted((Path(pydicom.__file__).parent / "data").rglob("*.dcm"))):
        if path.stat().st_size <= SMALL:
            (corpus / f"seed-{number:03d}").write_bytes(path.read_bytes())


def main() -> None:
    """Fuzz until libFuzzer's options end it."""
    arguments = list(sys.argv)
    folders = [Path(word) for word in arguments[1:] if not word.startswith("-")]
    corpus = folders[0] if folders else _FOLDER / "corpus"
    if not folders:
        arguments.insert(1, str(corpus))
    corpus.mkdir(parents=True, exist_ok=True)
    if not any(corpus.iterdir()):
        seed(corpus)
    atheris.Setup(arguments, test_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
