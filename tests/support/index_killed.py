"""Kill builds at given points, and build again: `python index_killed.py SOURCE OUT` prints the results.

Heavy imports happen once; each build is a fork, which SIGKILL ends like any process.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index import build as build_module
from monai_unlearn.index import compose
from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.index.scan import read, workspace
from monai_unlearn.index.scan.options import ScanOptions
from monai_unlearn.index.scan.workspace import Workspace
from monai_unlearn.index.store import write
from monai_unlearn.index.store.store import Index

# The object, its attribute, and the call of it at which the process is killed.
POINTS = {
    "listing": (build_module, "read_fresh", 0),
    "first block": (Workspace, "add_block", 0),
    "later block": (Workspace, "add_block", 7),
    "rows collected": (build_module, "find_duplicates", 0),
    "parts written": (compose, "finish_index", 0),
    "before the swap": (write, "_publish", 0),
    "within the swap": (Path, "replace", ("index.json", "stage")),
    "after the swap": (compose, "count_patients", 0),
}


def kill_at(owner: object, name: str, call: object) -> None:
    original, calls = getattr(owner, name), []

    def killed(*arguments: object, **options: object) -> object:
        calls.append(arguments)
        at = len(calls) - 1 == call if isinstance(call, int) else Path(str(arguments[0])).name in call
        if at:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **options)

    setattr(owner, name, killed)


def forked(source: Path, out: Path, result: Path, point: tuple[object, str, object] | None) -> int:
    """Build in a fork; write how many files were read and what the index is, and return the signal that ended it."""
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    read.FILES_A_CHUNK = 25
    workspace.WORTH_KEEPING = 1
    if point is not None:
        kill_at(*point)
    paths = []

    def track(files: object) -> object:
        for file in files:
            paths.append(file.path)
            yield file

    report = build(BuildRequest(sources=(source,), out=out, scan=ScanOptions(workers=1)), track=track)
    result.write_text(json.dumps({"read": len(paths), "digest": report.index.digest, **report.files.document()}))
    os._exit(0)


def digest_of(out: Path) -> str | None:
    try:
        index = Index.open(out)
    except IndexReadError:
        return None
    return index.digest if len(index.frame(["path"])) == index.rows else "torn"


def main() -> None:
    source, work = map(Path, sys.argv[1:])
    found = {}
    for name, point in POINTS.items():
        for first in (False, True):
            out, result = work / name.replace(" ", "_") / str(first) / "index", work / "result.json"
            out.parent.mkdir(parents=True)
            if not first:
                shutil.copytree(work / "previous", out)
            ended = forked(source, out, result, point)
            state = {"ended": ended, "while_killed": digest_of(out)}
            again = forked(source, out, result, None)
            state |= {"again": again, **json.loads(result.read_text()), "after": digest_of(out)}
            state["left"] = sorted(path.name for path in out.parent.iterdir())
            found[f"{name}, {'first' if first else 'next'} build"] = state
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
