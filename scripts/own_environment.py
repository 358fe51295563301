"""An environment of its own for a service that does not go into `.venv`, and the tests that need it.

It uses the packages of the one that runs the script, torch above all, so that it is small, and holds beside them what
the service needs, in versions of its own where they must differ. It lies in `build/`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def environment(name: str, *, alone: list[str] | None = None, whole: list[str]) -> Path | None:
    """Return the Python of an environment, which is made where it does not exist; None where that cannot be.

    Args:
        name: Its folder in `build/`.
        alone: What pip installs without dependencies, as requirements.
        whole: What pip then installs with them, where the packages that are there do not do.
    """
    folder = ROOT / "build" / name
    python, done = folder / "bin" / "python", folder / "installed"
    wanted = "\n".join([sys.prefix, *(alone or []), "", *whole])
    if done.is_file() and done.read_text(encoding="utf-8") == wanted:
        return python
    print(f"Setting up {folder} (once, about a minute) …", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        _call(sys.executable, "-m", "venv", folder)
        if alone:
            _call(*pip, "--no-deps", *alone)
        shared = sysconfig.get_path("purelib")
        link = folder / Path(shared).relative_to(sys.prefix) / "shared.pth"
        # The package itself too: what says where an editable one lies is not read in a folder that is linked.
        link.write_text(f"{shared}\n{ROOT}\n", encoding="utf-8")
        _call(*pip, *whole)
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or [str(error)])[-1]
        print(f"{name} cannot be installed here, so its tests are left out: {last}")
        return None
    done.write_text(wanted, encoding="utf-8")
    return python


def _call(*words: str | Path) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True)
