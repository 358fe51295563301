"""A studio as a user starts it: a process of its own, and the link that it prints."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from monai_unlearn.safe_path import module_command, safe_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LINK = re.compile(r"(https?://\S+/)\?token=(\S+)")


class StudioProcess:
    """A running studio.

    Attributes:
        link: The link with the token.
        origin: The origin, without the last slash.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process, said = process, ""
        for line in process.stdout:
            said += line
            if found := _LINK.search(line):
                self.link, self.origin = found[0], found[1].rstrip("/")
                _wait_for(self.origin)
                return
        raise AssertionError(said)

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()
        self._process.wait()


def _wait_for(origin: str) -> None:
    """Wait until the studio takes connections: on a busy machine it says where it is a moment before."""
    place, until = urlsplit(origin), time.monotonic() + 60
    while time.monotonic() < until:
        with socket.socket() as asking:
            if asking.connect_ex((place.hostname, place.port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nothing answers at {origin}")


@contextmanager
def studio_process(*words: str, folder: Path) -> Iterator[StudioProcess]:
    """Start a studio on a free port; it ends with the block."""
    command = [*module_command("monai_unlearn", "studio", "--port", "0", *words, folder=folder)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=sys.stderr, text=True, env=dict(safe_environment()), cwd=folder
    ) as process:
        try:
            yield StudioProcess(process)
        finally:
            process.kill()
