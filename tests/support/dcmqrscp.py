"""DCMTK's archive, dcmqrscp, on loopback with a temporary store: a second peer that speaks DIMSE, beside Orthanc."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orthanc import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

MISSING = "DCMTK is not installed: apt-get install dcmtk"
AET = "DCMTK"
_PATIENCE = 20.0
_CONFIGURATION = """\
NetworkTCPPort  = {port}
MaxPDUSize      = 16384
MaxAssociations = 16
HostTable BEGIN
client = ({aet}, localhost, {move})
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
{called} {store} RW (500, 1024mb) ANY
AETable END
"""


def program() -> str | None:
    """Return the path of dcmqrscp, or null where DCMTK is not installed."""
    return shutil.which("dcmqrscp")


@dataclass(frozen=True)
class Dcmqrscp:
    """A running archive.

    Attributes:
        port: Its port, on 127.0.0.1; its AE title is `DCMTK`.
        move: The port that it sends images for the AE title `ME` to.
    """

    port: int
    move: int

    @property
    def dimse(self) -> str:
        return f"127.0.0.1:{self.port}"

    def store(self, folder: Path) -> None:
        """Store every DICOM file of a folder."""
        # DCMTK's own: pynetdicom installs another program of this name.
        sender = str(Path(str(program())).with_name("storescu"))
        command = [sender, "-R", "-aec", AET, "+sd", "+r", "+sp", "*.dcm", "127.0.0.1", str(self.port), str(folder)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)


@contextmanager
def running_dcmqrscp(folder: Path, *, aet: str = "ME") -> Iterator[Dcmqrscp]:
    """Run dcmqrscp with its store in a folder, and end it with the block."""
    path = program()
    if path is None:
        raise FileNotFoundError(MISSING)
    store = folder / "store"
    store.mkdir(parents=True, exist_ok=True)
    server = Dcmqrscp(free_port(), free_port())
    file = folder / "dcmqrscp.cfg"
    file.write_text(
        _CONFIGURATION.format(port=server.port, aet=aet, move=server.move, called=AET, store=store), encoding="utf-8"
    )
    with (folder / "dcmqrscp.log").open("wb") as log:
        process = subprocess.Popen([path, "-c", str(file)], stdout=log, stderr=log, cwd=folder)
        try:
            _wait(server, process, folder / "dcmqrscp.log")
            yield server
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()


def _wait(server: Dcmqrscp, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"dcmqrscp did not start:\n{log.read_text(errors='replace')[-2000:]}")
