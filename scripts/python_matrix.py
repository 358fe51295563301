"""Run tests with every supported Python that this machine has: `make matrix`, or with arguments for pytest.

    python scripts/python_matrix.py                      # some tests of each kind, `TESTS`
    python scripts/python_matrix.py tests/cohort -x
    python scripts/python_matrix.py --record             # what the documentation shows, in benchmarks/results

Interpreters are looked for on PATH, among those of pyenv, and with `uv`, which may fetch none. Each gets an environment
in `build/matrix/`, from `constraints.txt`, by `uv` where it is on PATH and by pip otherwise. A version that is not
there is named; the exit code is 1 if tests fail with one that is, or if there is none. Runs on the standard library
alone, so that any Python can start it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "matrix"
VERSIONS = ("3.10", "3.11", "3.12", "3.13")
RESULT = "python_matrix"
# Every module, imported for the examples of its docstrings; what loads nothing heavy, in a process of its own; the
# predicate language; commands; a revision from training to the card.
TESTS = [
    "tests/test_doctests.py",
    "tests/test_light_start.py",
    "tests/cohort/language",
    "tests/cohort/typing",
    "tests/spec",
    "tests/cli/test_cohort.py",
    "tests/cli/test_main.py",
    "tests/test_api.py",
]
# What a report says of an interpreter and the packages that decide most.
FACTS = """
import platform
from importlib.metadata import version
print(platform.python_version(), *(version(name) for name in ("torch", "monai", "numpy", "pandas")))
"""
Row = dict[str, Any]


def main(arguments: list[str]) -> int:
    records, chosen = "--record" in arguments, [one for one in arguments if one != "--record"]
    rows = []
    for version in VERSIONS:
        python = find(version)
        row: Row = {"version": version, "outcome": "not there: neither on PATH nor in pyenv or uv"}
        if python is not None:
            print(f"Python {version}: {python}", flush=True)
            row.update(tried(version, python, chosen or TESTS))
        rows.append(row)
    print(*table(rows), sep="\n")
    ran = [row for row in rows if "interpreter" in row]
    if records:
        record(ran, chosen or TESTS)
    return 0 if ran and {row["outcome"] for row in ran} == {"passed"} else 1


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


def tried(version: str, python: Path, arguments: list[str]) -> Row:
    """Return what came of an interpreter: `outcome` is `passed`, or what failed."""
    row: Row = {"interpreter": str(python)}
    folder = FOLDER / version
    own = folder / "bin" / "python"
    if error := set_up(folder, python):
        return {**row, "outcome": error}
    facts = run(own, "-c", FACTS).stdout.split()
    row.update(zip(("python", "torch", "monai", "numpy", "pandas"), facts, strict=False))
    report = folder / "report.xml"
    report.unlink(missing_ok=True)
    began = time.monotonic()
    words = [own, "-m", "pytest", f"--junitxml={report}", *arguments]
    code = subprocess.run([str(word) for word in words], cwd=ROOT, check=False).returncode
    row["seconds"] = round(time.monotonic() - began)
    row.update(counted(report))
    return {**row, "outcome": "passed" if code == 0 else f"pytest ended with {code}"}


def set_up(folder: Path, python: Path) -> str | None:
    """Make an environment, unless it is there, and bring it up to date; return what failed."""
    uv, own = shutil.which("uv"), folder / "bin" / "python"
    index = os.environ.get("TORCH_INDEX")
    if not own.exists():
        made = run(uv, "venv", "--quiet", "--python", python, folder) if uv else run(python, "-m", "venv", folder)
        if made.returncode:
            return f"venv failed: {last_line(made)}"
    if uv:
        # By default, uv takes all versions of a package from the first index that has it.
        further = ["--extra-index-url", index, "--index-strategy", "unsafe-best-match"] if index else []
        install = [uv, "pip", "install", "--quiet", "--python", own]
    else:
        further = ["--extra-index-url", index] if index else []
        install = [own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for wanted in (["torch", *further], ["--editable", ".[dev]"]):
        installed = run(*install, "--constraint", ROOT / "constraints.txt", *wanted)
        if installed.returncode:
            return f"install failed: {last_line(installed)}"
    return None


def counted(report: Path) -> Row:
    """Return how many tests passed, failed and were skipped, as pytest reports them."""
    if not report.is_file():
        return {}
    suites = ET.parse(report).getroot().iter("testsuite")  # noqa: S314 - pytest's own
    names = ("tests", "failures", "errors", "skipped")
    total = dict.fromkeys(names, 0)
    for suite in suites:
        total = {name: total[name] + int(suite.get(name, 0)) for name in names}
    failed = total["failures"] + total["errors"]
    return {"passed": total["tests"] - failed - total["skipped"], "failed": failed, "skipped": total["skipped"]}


def table(rows: list[Row]) -> list[str]:
    """Return lines: one a version, with what pytest counted."""
    names = ("version", "python", "torch", "passed", "failed", "skipped", "seconds", "outcome")
    cells = [names, *(tuple(str(row.get(name, "–")) for name in names) for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(names))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def record(rows: list[Row], tests: list[str]) -> None:
    """Write what the documentation shows."""
    sys.path.append(str(ROOT / "benchmarks"))
    import results_file

    kept = [{name: value for name, value in row.items() if name != "interpreter"} for row in rows]
    results_file.write({"facts": results_file.facts(), "tests": tests, "runs": kept}, RESULT)


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in words], cwd=ROOT, capture_output=True, text=True, check=False)


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stderr.strip().splitlines() or ["no message"])[-1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
