"""Mutation testing of the rooms where a fault would harm most: how many small changes do their tests notice?

    make nightly                                            # every room, as part of the nightly run
    python scripts/mutation.py --room evaluation            # one room: all mutants, or a seeded sample of 300
    python scripts/mutation.py --room evaluation --again    # only its survivors, after you have added tests

Each room is copied with the repository into `build/mutation/ROOM`, where mutmut changes one operator, constant or
argument at a time and runs the tests that reach the changed function, in processes forked from one that has imported
everything. `benchmarks/results/mutation.json` holds the counts and every survivor with its change; the reason why it
survives is written there by hand and carried over as long as the change is the same. The command ends with 1 where a
room kills less than 85 % of its mutants.

mutmut leaves decorated functions alone, and with them the handlers of a dispatch and every property. In the copy, such
a decorator is therefore applied after its function instead, which means the same: `to_sql.register(Not)(_not)`.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "benchmarks"))

import results_file  # noqa: E402 - the path comes first

BUILD = ROOT / "build" / "mutation"
RESULT = "mutation"
LEAST_KILLED = 0.85
SAMPLE = 300
NO_REASON = "not judged yet"
# The tests of each room. Property tests over random predicates reach everything and are slow: the tables come first.
ROOMS = {
    "evaluation": ("tests/evaluation",),
    "methods": ("tests/methods",),
    "cohort/query": ("tests/cohort/query", "tests/spec"),
    "cohort/resolve": ("tests/cohort/resolve",),
}
_APPLIED_AFTERWARDS = re.compile(r"property|cached_property|contextmanager|\w+\.register\(\w+\)")
KILLED, SURVIVED, NOT_REACHED = "killed", "survived", "not reached by a test"
_NOT_REACHED = 33  # exit codes that mutmut records; 0 means that all tests passed
CONFIG = """
[tool.mutmut]
source_paths = ["monai_unlearn"]
only_mutate = ["monai_unlearn/{room}/*"]
pytest_add_cli_args = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
pytest_add_cli_args_test_selection = {tests}
also_copy = ["bundles", "cohort_specs", "docs", "README.md"]
process_isolation = "forkserver"
debug = true  # else mutmut 3.8.1 replaces sys.stdout, and does not see which tests reach which method
"""


def mutate(room: str, *, limit: int, seed: int, again: bool = False) -> dict[str, Any]:
    """Return the counts and survivors of one room.

    Args:
        room: A key of `ROOMS`.
        limit: How many mutants to try at the most.
        seed: Chooses them.
        again: Try the survivors of the last run only, with the tests as they are now; the code must be the same.
    """
    folder = _folder(room)
    if again:
        _copy_files(folder, "tests")
        (folder / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)  # which test reaches which function
    else:
        _copy(room)
        # A filter that matches no mutant: mutants are made and tests are timed, and nothing is run yet.
        _mutmut(folder, "run", "no.such.mutant", check=False)
    codes = _exit_codes(folder)
    names = sorted(codes)
    chosen = names if len(names) <= limit else sorted(random.Random(seed).sample(names, limit))  # noqa: S311 - a sample
    if wanted := [name for name in chosen if not again or _state(codes[name]) != KILLED]:
        _mutmut(folder, "run", *wanted)
    codes = _exit_codes(folder)
    states = {name: _state(codes[name]) for name in chosen}
    survivors = [
        {"function": name.rpartition("__mutmut_")[0], "change": _change(folder, name), "state": state}
        for name, state in states.items()
        if state != KILLED
    ]
    killed = sum(state == KILLED for state in states.values())
    return {
        "mutants": len(names),
        "tried": len(chosen),
        "killed": killed,
        "share_killed": round(killed / len(chosen), 4),
        "survivors": survivors,
    }


def _folder(room: str) -> Path:
    return BUILD / room.replace("/", "-")


def _copy_files(folder: Path, under: str = ".") -> None:
    for name in _git("ls-files", "--cached", "--others", "--exclude-standard", under).splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def _copy(room: str) -> None:
    folder = _folder(room)
    shutil.rmtree(folder, ignore_errors=True)
    _copy_files(folder)
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write(CONFIG.format(room=room, tests=json.dumps(list(ROOMS[room]))))
    for path in (folder / "monai_unlearn" / room).rglob("*.py"):
        path.write_text(_decorated_afterwards(path.read_text(encoding="utf-8")), encoding="utf-8")


def _decorated_afterwards(code: str) -> str:
    """Return a module in which decorators of `_APPLIED_AFTERWARDS` are calls after their functions."""
    lines = code.splitlines()
    functions = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef)]
    for node in sorted(functions, key=lambda node: node.lineno, reverse=True):
        decorator = ast.unparse(node.decorator_list[0]) if len(node.decorator_list) == 1 else ""
        if _APPLIED_AFTERWARDS.fullmatch(decorator):
            name = "" if ".register" in decorator else f"{node.name} = "
            lines.insert(node.end_lineno or node.lineno, f"{' ' * node.col_offset}{name}{decorator}({node.name})")
            del lines[node.decorator_list[0].lineno - 1 : node.decorator_list[0].end_lineno]
    return "\n".join(lines) + "\n"


def _mutmut(folder: Path, *arguments: str, check: bool = True) -> str:
    # Without this the tests would import the installed package instead of the mutated copy.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(folder / "mutants")}
    program = Path(sys.executable).with_name("mutmut")
    done = subprocess.run(
        [str(program), *arguments], cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    if check and done.returncode:
        sys.exit(f"mutmut {arguments[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def _exit_codes(folder: Path) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for path in sorted((folder / "mutants").rglob("*.meta")):
        found |= json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
    return found


def _state(code: int | None) -> str:
    return SURVIVED if code == 0 else NOT_REACHED if code in (None, _NOT_REACHED) else KILLED


def _change(folder: Path, name: str) -> str:
    lines = _mutmut(folder, "show", name).splitlines()
    return "\n".join(line for line in lines if line[:1] in "+-" and not line.startswith(("+++", "---")))


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def _with_reasons(room: dict[str, Any], earlier: dict[str, Any]) -> dict[str, Any]:
    """Carry over the reasons of survivors whose change is the same as before."""
    known = {(one["function"], one["change"]): one.get("reason", NO_REASON) for one in earlier.get("survivors", ())}
    survivors = [{**one, "reason": known.get((one["function"], one["change"]), NO_REASON)} for one in room["survivors"]]
    return {**room, "survivors": survivors}


def _write(rooms: dict[str, Any]) -> None:
    results_file.write({"rows": [{"room": name, **room} for name, room in sorted(rooms.items())]}, RESULT)


def main() -> None:
    """Mutate the rooms asked for and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--room", choices=tuple(ROOMS), action="append", help="all rooms by default")
    parser.add_argument("--limit", type=int, default=SAMPLE, help="mutants a room at the most, by a seeded sample")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--again", action="store_true", help="try only the survivors of the last run in build/")
    options = parser.parse_args()
    rooms = {row.pop("room"): row for row in results_file.read(RESULT)["rows"]}
    weak = []
    for name in options.room or ROOMS:
        room = mutate(name, limit=options.limit, seed=options.seed, again=options.again)
        rooms[name] = {
            "facts": results_file.facts("monai-unlearn", "mutmut", seed=options.seed),
            **_with_reasons(room, rooms.get(name, {})),
        }
        _write(rooms)
        print(f"{name}: {room['killed']} of {room['tried']} killed ({room['share_killed']:.1%})", flush=True)
        if room["share_killed"] < LEAST_KILLED:
            weak.append(name)
    if weak:
        sys.exit(f"Less than {LEAST_KILLED:.0%} of the mutants are killed in {', '.join(weak)}.")


if __name__ == "__main__":
    main()
