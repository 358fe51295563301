"""What the config files of a bundle hold, as they are written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from monai.bundle import ConfigParser
from yaml import YAMLError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def bundle_configs(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the content of each config file of a folder, by name; what cannot be read is left out."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if re.fullmatch(ConfigParser.suffix_match, path.name):
            try:
                content = ConfigParser.load_config_file(str(path))
            except (OSError, ValueError, YAMLError):  # not a file of this run, or MONAI would have failed on it
                continue
            if isinstance(content, dict):
                yield content
