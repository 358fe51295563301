"""What must not travel in a bundle: outputs of runs, indexes and frozen cohorts name images and patients."""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.contents import is_left_behind
from monai_unlearn.vocabulary.run_folder import LINEAGE_KEY, LINEAGE_MEMBERS, MEMBERS, PREDICTIONS, README, TRAVELS

if TYPE_CHECKING:
    from collections.abc import Iterator

_OF_PEOPLE = (MEMBERS, PREDICTIONS, LINEAGE_MEMBERS, LINEAGE_KEY)
_INDEX = ("index.json", "parts")


def check_travels(bundle: Path, output_dir: Path) -> None:
    """Refuse a bundle whose revised copy would carry along what names images or patients.

    Args:
        bundle: The folder of the bundle to revise.
        output_dir: Where results will go.

    Raises:
        ConfigError: The results would lie within the bundle, or an index or a frozen cohort does.
    """
    if output_dir.resolve().is_relative_to(bundle.resolve()):
        raise ConfigError(
            f"output_dir {output_dir} lies within the bundle {bundle}: the next revision would copy it along, with "
            "all that names images and patients. Give a folder outside the bundle: --output_dir DIR"
        )
    if found := next(_naming_people(bundle), None):
        raise ConfigError(
            f"{found} names images or patients, but lies within the bundle {bundle}, which is copied and travels. "
            "Move it out of the bundle."
        )


def _naming_people(root: Path) -> Iterator[Path]:
    """Yield what names people among that which would be copied."""
    for folder, below, files in os.walk(root, followlinks=True):
        within = PurePath(folder).relative_to(root)
        below[:] = sorted(name for name in below if not is_left_behind(within / name))
        names = {*below, *files}
        yield from (Path(folder, name) for name in _OF_PEOPLE if name in names)
        if names.issuperset(_INDEX):
            yield Path(folder)


def say_that_it_travels(bundle: Path) -> None:
    """Say in the README of a bundle's folder that it travels."""
    path = bundle / README
    text = path.read_text(encoding="utf-8") if path.is_file() else f"# {bundle.name.replace('_', ' ').capitalize()}\n"
    if TRAVELS not in text:
        path.write_text(f"{text.rstrip()}\n\n{TRAVELS}\n", encoding="utf-8")
