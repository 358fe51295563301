"""Composes two revisions of one original into one: a run of the original's bundle by the method `composition`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.composition_plan import CompositionPlan, settings_of
from monai_unlearn.experiments.parent_bundle import ParentBundle, differences
from monai_unlearn.experiments.unlearn import unlearn
from monai_unlearn.staging import check_free, check_writable, write_json

if TYPE_CHECKING:
    from monai_unlearn.experiments.unlearn import Revised


def compose(plan: CompositionPlan, out: Path, *, quiet: bool = False) -> Revised:
    """Compose two bundles, and judge the result as any revision.

    Args:
        plan: What to compose, and how.
        out: Where results go; new or empty.
        quiet: Leave stdout alone; see `unlearn`.

    Raises:
        ConfigError: The two cannot be composed; the message says what differs or is missing.
        InputError: The index or the spec cannot be read.
        StoppedError: The run was interrupted.
    """
    check_free(out)
    check_writable(out)
    a, b = ParentBundle.read(plan.a, option="--a"), ParentBundle.read(plan.b, option="--b")
    _check_outside(out, a, b)
    revised = [one for one in (a, b) if one.run is not None]
    if not revised:
        raise ConfigError("--a, --b: neither is a revision with its evidence. Give the output folder of a run.")
    if len(revised) > 1 and (different := differences(a, b)):
        raise ConfigError(
            f"--a, --b: expected revisions of one network that forgot the same cohort, but they differ in "
            f"{', '.join(different)}. Revise the original again for one of them, with the same settings."
        )
    original = _original(plan, a, b)
    settings = settings_of(plan, a, b, original)
    with tempfile.TemporaryDirectory(prefix="monai-unlearn-compose-") as folder:
        overlay = Path(folder, "composition.json")
        write_json(overlay, settings)
        return unlearn(original, out, {}, overlays=[overlay], quiet=quiet)


def _check_outside(out: Path, *parents: ParentBundle) -> None:
    for one in parents:
        inside = one.root if one.run is None else one.run.root
        if out.resolve().is_relative_to(inside.resolve()):
            raise ConfigError(f"--out {out}: it lies within {inside}, which is to be composed. Choose another folder.")


def _original(plan: CompositionPlan, a: ParentBundle, b: ParentBundle) -> Path:
    """Return the bundle that both were revised from."""
    if plan.original is not None and not plan.original.is_dir():
        raise ConfigError(f"--original {plan.original}: expected the folder of a bundle, and there is none.")
    given = [plan.original] if plan.original else [one.root for one in (a, b) if one.run is None]
    recorded = [Path(place) for one in (a, b) if (place := one.place("bundle_root"))]
    for folder in (*given, *recorded):
        if folder.is_dir():
            return folder.resolve()
    raise ConfigError(
        "the original bundle, which both were revised from, is not where their runs say. Give it: --original BUNDLE."
    )
