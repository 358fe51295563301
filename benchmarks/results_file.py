"""How benchmarks write a result: when, with what and on what it was measured, and one run a line."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
# A run, or the accuracies of one network, fits on a line; what does not fit is spread over lines.
LINE = 1200


def facts(*packages: str, **more: object) -> dict[str, Any]:
    """Return commit, date, machine and versions, with what else a reader must know of the measurement."""
    return {
        "commit": _commit(),
        "date": datetime.now(timezone.utc).date().isoformat(),
        "machine": {"processor": _processor(), "cores": _cores(), "load": round(os.getloadavg()[0], 1)},
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        **more,
    }


def _commit() -> str | None:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=7", "--exclude=*"]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    return found.stdout.strip() or None


def _processor() -> str:
    """Return the processor's model where the system names it, else its architecture."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())


def _cores() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def read(name: str, folder: Path = RESULTS) -> dict[str, Any]:
    """Return a committed result, by the name of its file without its suffix."""
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def write(document: dict[str, Any], name: str, folder: Path = RESULTS) -> None:
    """Write a result, in the layout of `dumps`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(dumps(document) + "\n", encoding="utf-8")


def dumps(value: object, indent: int = 0) -> str:
    """Return JSON in which each object or list is on one line where it fits, so that a changed run is one line."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) <= LINE or not isinstance(value, (dict, list)):
        return line
    if isinstance(value, dict):
        items = [f"{json.dumps(key, ensure_ascii=False)}: {dumps(one, indent + 1)}" for key, one in value.items()]
    else:
        items = [dumps(one, indent + 1) for one in value]
    first, last = ("{", "}") if isinstance(value, dict) else ("[", "]")
    separator = "\n" + " " * (indent + 1)
    return f"{first}{separator}{f',{separator}'.join(items)}\n{' ' * indent}{last}"
