"""What the writers of generated pages share: the command that writes a page, or with `--check` compares it."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def write_page(target: Path, document: Callable[[], str]) -> None:
    """Write a page as the command line asks, and end the process: 1 where `--check` finds another page.

    Args:
        target: The page.
        document: Returns its text.
    """
    parser = argparse.ArgumentParser(description=f"Write {target.name}.")
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 where the page differs")
    options = parser.parse_args()
    text = document()
    differs = not target.is_file() or target.read_text(encoding="utf-8") != text
    if differs and not options.check:
        target.write_text(text, encoding="utf-8")
    sys.exit(int(differs and options.check))
