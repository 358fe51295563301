"""Starts a demo: which folder it has, what it prepares, and with what settings the studio then opens."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError
from monai_unlearn.studio.demo.folder import DemoFolder
from monai_unlearn.studio.demo.people import check_installed
from monai_unlearn.studio.demo.prepare import command_of, prepare, use_one_thread
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.studio.settings import Settings

_PREFIX = "monai-unlearn-demo-"


def demo_folder(folder: Path | None, *, is_demo: bool, given: Mapping[str, Path | None]) -> DemoFolder | None:
    """Return the folder of the demo that a command asks for: a new temporary one if it names none.

    Args:
        folder: The folder that it names.
        is_demo: Whether it asks for a demo.
        given: The folders of a studio that it names, by their options: a demo has its own.

    Raises:
        ConfigError: It names folders that do not belong together.
    """
    if not is_demo:
        if folder is not None:
            raise ConfigError(
                f"{folder}: only --demo takes a folder like this. Name the folders of a studio by --index, --bundle, "
                "--store and --work."
            )
        return None
    if named := [name for name, path in given.items() if path is not None]:
        raise ConfigError(f"--demo has folders of its own: leave out {', '.join(named)}, or --demo.")
    return DemoFolder((folder or Path(tempfile.mkdtemp(prefix=_PREFIX))).resolve())


def start_demo(settings: Settings) -> Settings:
    """Prepare the demo of a studio, and return the settings with its folders; others are returned as they are.

    Raises:
        InputError: The folder holds something else, or an extra is missing.
        StoppedError: It was interrupted.
        UnlearnError: A step failed.
    """
    if settings.demo is None:
        return settings
    check_installed()
    folder = settings.demo
    say(f"The demo's folder: {folder.root}", f"To go on with it another time: {command_of(folder)}")
    use_one_thread()
    prepare(folder)
    return demo_settings(settings, folder)


def demo_settings(settings: Settings, folder: DemoFolder) -> Settings:
    """Return settings with the folders of a demo; its images are of nobody, and shown."""
    return replace(
        settings,
        demo=folder,
        index=folder.index,
        bundle=folder.bundle,
        store=folder.store,
        work=folder.work,
        show_images=True,
    )
