"""Read every file of a folder in a separate process, with limits on time and memory, and report what it took.

    python mutants_reading.py FOLDER SECONDS_A_FILE MEGABYTES

prints JSON: `rows` (by file name), `slowest` (seconds), `peak` (megabytes above the start).
"""

from __future__ import annotations

import json
import resource
import signal
import sys
import time
from pathlib import Path

from monai_unlearn.index.readers import read_file


def read_all(folder: Path, seconds: float, megabytes: int) -> dict[str, object]:
    """Read the files; a file that takes too long, or too much memory, ends the process."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    mapped = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + megabytes * 2**20,) * 2)
    rows, slowest = {}, 0.0
    for path in sorted(folder.iterdir()):
        signal.setitimer(signal.ITIMER_REAL, seconds)  # its signal ends the process
        started = time.perf_counter()
        rows[path.name] = read_file(path)
        slowest = max(slowest, time.perf_counter() - started)
    signal.setitimer(signal.ITIMER_REAL, 0)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"rows": rows, "slowest": slowest, "peak": (after - before) / 1024}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(read_all(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])), default=str))
