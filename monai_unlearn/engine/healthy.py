"""The classes that mean no disease: declared once in a bundle, in the section `decision` of its config to unlearn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from monai_unlearn.engine.bundle_configs import bundle_configs

if TYPE_CHECKING:
    from collections.abc import Sequence


def declared_healthy(bundle_root: str | Path, class_names: Sequence[str]) -> tuple[str, ...] | None:
    """Return the classes that a bundle declares healthy.

    Args:
        bundle_root: The bundle.
        class_names: The classes of the run. Where they are others than the bundle's, as `--class_names` makes them,
            what the bundle declares says nothing of them.

    Returns:
        The classes; None where no config of the bundle declares any, or one that is not among the classes.
    """
    for config in bundle_configs(Path(bundle_root) / "configs"):
        section = config.get("decision")
        found = section.get("healthy_classes") if isinstance(section, dict) else None
        if isinstance(found, list):
            names = tuple(map(str, found))
            return names if set(names) <= set(class_names) else None
    return None


def healthy_classes(bundle_root: str | Path, class_names: Sequence[str]) -> list[str]:
    """Return the classes that a bundle declares healthy, for its other configs; none where it declares none."""
    return list(declared_healthy(bundle_root, class_names) or ())
