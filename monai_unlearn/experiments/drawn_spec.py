"""Writes a rehearsal cohort as a spec beside the lists of what it forgets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.errors import DataError
from monai_unlearn.staging import write_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

README = """\
# Rehearsal cohorts

This folder stays with the images: the lists hold keys of patients. Do not pass it on.

Each spec is a cohort that `monai-unlearn rehearse` drew, to be forgotten for practice. Nobody asked for it to be
forgotten, and no network that forgot it is deployed.
"""
# What a spec says about one cohort, and no other.
_OF_ONE_COHORT = ("expect", "sample", "why", "absent")


def open_folder(folder: Path) -> None:
    """Make the folder of drawn specs, for its owner alone, with a README."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    write_text(folder / "README.md", README)


def write_spec(
    model: CohortSpec, folder: Path, *, name: str, forget: str, lists: Mapping[str, Sequence[str]]
) -> CohortSpec:
    """Write a spec like another one that forgets something else, and read it.

    Args:
        model: The spec to be like: its reason, population, scope and treatment of what is unknown are kept.
        folder: Where to write `NAME.yaml` and the lists, as text files.
        name: The name of the spec.
        forget: Its rule, with `@lists`.
        lists: The values of the lists by name.

    Raises:
        DataError: A value cannot stand in a list.
    """
    content: dict[str, Any] = {key: value for key, value in model.to_dict().items() if key not in _OF_ONE_COHORT}
    # The lists of the real cohort's own rule are left out: nothing compares with them, and nobody needs them here.
    used = {key: found for key, found in model.value_sets.items() if re.search(rf"@{key}\b", str(model.population))}
    values = {**used, **{key: tuple(sorted(set(found))) for key, found in lists.items()}}
    files = {key: f"{name}.{key}.txt" for key in values}
    for key, found in values.items():
        write_text(folder / files[key], "".join(f"{one}\n" for one in found))
    content |= {"name": name, "forget": forget, "value_sets": {key: {"file": file} for key, file in files.items()}}
    plain = {key: value for key, value in content.items() if value not in (None, {})}
    path = folder / f"{name}.yaml"
    write_text(path, yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=120))
    spec = CohortSpec.read(path)
    if any(spec.value_sets[key] != found for key, found in values.items()):
        raise DataError(
            f"{path}: a value of the index cannot stand in a list of values: it begins with '# ', or ends with spaces. "
            "Give rehearsal cohorts with --spec."
        )
    return spec
