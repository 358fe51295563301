"""The metadata of a bundle. Never loads torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from monai_unlearn.errors import ConfigError
from monai_unlearn.vocabulary.bundle_files import METADATA

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class BundleInfo:
    """The metadata of a bundle.

    Args:
        root: The bundle's folder.
        name: Its name.
        version: Its version, as in the metadata.
        metadata: The whole of `configs/metadata.json`.
        successors: Versions of revisions of it that a composition is made of: the next version comes after them.
    """

    root: Path
    name: str
    version: str
    metadata: Mapping[str, Any]
    successors: tuple[str, ...] = ()

    @classmethod
    def read(cls, root: str | Path) -> BundleInfo:
        """Read a bundle's metadata.

        Raises:
            ConfigError: There is no metadata, or it is not JSON with a version.
        """
        path = Path(root) / METADATA
        try:
            metadata = json.loads(path.read_text(encoding="utf-8"))
            version = str(Version(metadata["version"]))
        except OSError:
            raise ConfigError(f"{path} is missing: {root} is not a MONAI bundle. Give --bundle_root FOLDER.") from None
        except (ValueError, KeyError, TypeError, RecursionError, InvalidVersion) as error:
            raise ConfigError(f"{path}: expected JSON with a 'version' like 1.2.3 ({type(error).__name__}).") from None
        return cls(root=Path(root), name=str(metadata.get("name", Path(root).name)), version=version, metadata=metadata)

    @property
    def next_version(self) -> str:
        """The version after a revision: the minor version goes up, since behaviour changes."""
        latest = max(map(Version, (self.version, *self.successors)))
        major, minor, *_ = (*latest.release, 0, 0)
        return f"{major}.{minor + 1}.0"
