"""A real Orthanc on loopback, with a temporary store: for tests and benchmarks."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
MISSING = "Orthanc is not installed: apt-get install orthanc orthanc-dicomweb"
AET = "ORTHANC"
_PATIENCE = 30.0


def program() -> str | None:
    """Return the path of Orthanc, or null where it or its DICOMweb plugin is not installed."""
    return (
        shutil.which("Orthanc", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin") if PLUGIN.exists() else None
    )


@dataclass(frozen=True)
class Orthanc:
    """A running server.

    Attributes:
        http: The address of its own interface, without a final slash.
        dimse_port: Its port for DIMSE, on 127.0.0.1; its AE title is `ORTHANC`.
    """

    http: str
    dimse_port: int

    @property
    def dicomweb(self) -> str:
        return f"{self.http}/dicom-web"

    @property
    def dimse(self) -> str:
        return f"127.0.0.1:{self.dimse_port}"

    def store(self, *paths: Path) -> list[str]:
        """Store every file, or every file of each folder; return the answers: Success, AlreadyStored, …"""
        with requests.Session() as session:
            return [self._store(session, file) for path in paths for file in _files(path)]

    def _store(self, session: requests.Session, path: Path) -> str:
        answer = session.post(f"{self.http}/instances", data=path.read_bytes(), timeout=60)
        return str(answer.json().get("Status", "Failure")) if answer.ok else "Failure"

    def get(self, path: str) -> object:
        """Return the JSON of Orthanc's own interface at a path such as `/statistics`."""
        answer = requests.get(f"{self.http}{path}", timeout=60)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, document: object) -> object:
        """Post JSON to Orthanc's own interface, and return its answer."""
        answer = requests.post(f"{self.http}{path}", json=document, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def add_peer(self, name: str, aet: str, port: int) -> None:
        """Let Orthanc send to an AE title on this machine, as C-MOVE asks it to."""
        answer = requests.put(
            f"{self.http}/modalities/{name}", json={"AET": aet, "Host": "127.0.0.1", "Port": port}, timeout=60
        )
        answer.raise_for_status()

    def delete(self, path: str) -> None:
        """Delete a resource, such as `/studies/{id}` with Orthanc's own identifier."""
        requests.delete(f"{self.http}{path}", timeout=60).raise_for_status()

    def clear(self) -> None:
        """Delete all patients."""
        for patient in requests.get(f"{self.http}/patients", timeout=60).json():
            self.delete(f"/patients/{patient}")


@contextmanager
def running_orthanc(folder: Path, **settings: object):
    """Run Orthanc with its store in a folder, and end it with the block.

    Args:
        folder: An empty or absent folder.
        settings: Further entries of its configuration.
    """
    path = program()
    if path is None:
        raise FileNotFoundError(MISSING)
    folder.mkdir(parents=True, exist_ok=True)
    http_port, dimse_port = free_port(), free_port()
    configuration = {
        "Name": "test",
        "StorageDirectory": str(folder / "store"),
        "IndexDirectory": str(folder / "store"),
        "HttpServerEnabled": True,
        "HttpPort": http_port,
        "DicomPort": dimse_port,
        "DicomAet": AET,
        "DicomCheckCalledAet": False,
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowGet": True,
        "DicomAlwaysAllowMove": True,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        **settings,
    }
    file = folder / "orthanc.json"
    file.write_text(json.dumps(configuration), encoding="utf-8")
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen([path, str(file)], stdout=log, stderr=log, cwd=folder)
        try:
            server = Orthanc(f"http://127.0.0.1:{http_port}", dimse_port)
            _wait(server, process, folder / "orthanc.log")
            yield server
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(server: Orthanc, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with suppress(requests.RequestException):
            if requests.get(f"{server.dicomweb}/studies?limit=1", timeout=5).ok:
                return
        time.sleep(0.1)
    raise RuntimeError(f"Orthanc did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
