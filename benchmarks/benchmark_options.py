"""Command-line options that several benchmarks share."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from results_file import RESULTS, ROOT

DATA_VARIABLE = "MONAI_UNLEARN_DATA"


def parser_of(documentation: str | None, *, work: str | None = None, data: bool = False) -> argparse.ArgumentParser:
    """Return a parser with `--results`, and where wanted `--work` and `--data`.

    Args:
        documentation: The docstring of the script.
        work: The folder below `build/` for intermediate files that a second run uses again.
        data: Whether the script reads real data.
    """
    parser = argparse.ArgumentParser(description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the result is written")
    if work is not None:
        parser.add_argument("--work", type=Path, default=ROOT / "build" / work, help="intermediate files, used again")
    if data:
        parser.add_argument("--data", type=Path, default=os.environ.get(DATA_VARIABLE), help=f"else {DATA_VARIABLE}")
    return parser


def data_folder(options: argparse.Namespace) -> Path:
    """Return the folder of real data; end the script where neither option nor variable names one."""
    if options.data is None:
        sys.exit(f"expected the folder of real data: give --data FOLDER, or set {DATA_VARIABLE}")
    return Path(options.data).resolve()
