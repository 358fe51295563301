"""Run tests with every supported Python that this machine has: `make matrix`, or with arguments for pytest.

    python scripts/python_matrix.py tests/cohort -x

Interpreters are looked for on PATH, among those of pyenv, and with `uv`, which may fetch none. Each gets an environment
in `build/matrix/`, from `constraints.txt`. A version that is not there is named; the exit code is 1 if tests fail with
one that is, or if there is none. Runs on the standard library alone, so that any Python can start it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "matrix"
VERSIONS = ("3.10", "3.11", "3.12", "3.13")


def main(arguments: list[str]) -> int:
    told = {}
    for version in VERSIONS:
        python = find(version)
        if python is None:
            told[version] = "not there: neither on PATH nor in pyenv or uv"
        else:
            print(f"Python {version}: {python}", flush=True)
            told[version] = tried(version, python, arguments or ["tests", "--numprocesses", "2"])
    for version, words in told.items():
        print(f"Python {version}: {words}")
    ran = [words for words in told.values() if not words.startswith("not there")]
    return 0 if ran and set(ran) == {"passed"} else 1


def find(version: str) -> Path | None:
    """Return an interpreter of a version that starts; those of pyenv on PATH may be scripts that refuse."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [shutil.which(f"python{version}"), *sorted(pyenv.glob(f"versions/{version}.*/bin/python"))]
    if uv := shutil.which("uv"):
        found = run(uv, "python", "find", "--no-python-downloads", version)
        candidates.append(found.stdout.strip() if found.returncode == 0 else None)
    for candidate in candidates:
        if candidate and starts(Path(candidate), version):
            return Path(candidate)
    return None


def starts(python: Path, version: str) -> bool:
    try:
        answer = run(python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout.strip() == version


def tried(version: str, python: Path, arguments: list[str]) -> str:
    """Return `passed`, or what failed."""
    folder = FOLDER / version
    if not (folder / "bin" / "python").exists() and (made := run(python, "-m", "venv", folder)).returncode:
        return f"venv failed: {last_line(made)}"
    index = os.environ.get("TORCH_INDEX")
    for wanted in (["torch", *(["--extra-index-url", index] if index else [])], ["--editable", ".[dev]"]):
        options = ["--quiet", "--disable-pip-version-check", "--constraint", ROOT / "constraints.txt"]
        installed = run(folder / "bin" / "python", "-m", "pip", "install", *options, *wanted)
        if installed.returncode:
            return f"install failed: {last_line(installed)}"
    code = subprocess.run([folder / "bin" / "python", "-m", "pytest", *arguments], cwd=ROOT, check=False).returncode
    return "passed" if code == 0 else f"pytest ended with {code}"


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in words], cwd=ROOT, capture_output=True, text=True, check=False)


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stderr.strip().splitlines() or ["no message"])[-1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
