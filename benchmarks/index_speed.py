"""How fast does `index build` read, against the plain loop that one would write instead, and in how much memory?

    python benchmarks/index_speed.py

The files are Ophthalmic Photography images with uncompressed pixels, made here from the phantom's headers, seeded, ten
in a folder: of 50 KB, 200 KB and 10 MB. No way reads pixels; those of 10 MB are holes in their files. The plain loop
asks pydicom for ten tags of each (`dcmread` with `stop_before_pixels` and `specific_tags`); it neither checks that a
file is whole nor writes anything. The index, of all its columns, is built by the command, from nothing to Parquet on
disk: listing, reading, checking where each file ends, duplicates, digest.

Every run is a process of its own. All ways take turns, round by round, on warm files; ratios are of the same round, and
the median of the rounds counts. What the same process takes for ten files is its start-up, which is taken off before
files a second and ratios are computed. Processor seconds are those of a process and its workers together, which other
work on the machine changes less than it changes wall time; how much faster two processes are, only wall time can say,
so `machine.load` should be near zero. What each of the processes of a build spends is stored as well: half of it all is
the least that two cores need, so `two_by_processor` is how much faster two processes can be at most. Modules are
compiled before, as those of an installed package are.

The claims: on one core, the index reads five times as many files a second as the loop, whatever their size; ten files
take at most 0.6 s; and two processes are at least 1.6 times as fast as one from 10,000 files on.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
from benchmark_options import parser_of
from results_file import ROOT, facts, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

A_FOLDER = 10
TEMPLATES = 400
FEW = 10
# The size of a file: the pixels on each side of its image, and how many files there are.
SIZES = {"50 KB": (128, 20_000), "200 KB": (256, 10_000), "10 MB": (1826, 10_000)}
FOR_TWO = 10_000
# Images of so many pixels a side are zeros that the file system does not store: 100 GB would not fit into its cache.
HOLES_FROM = 1024
CLAIMS = {"times the loop": 5.0, "seconds for ten files": 0.6, "two processes": 1.6}
TEN_TAGS = (
    *("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "PatientID", "Modality"),
    *("Manufacturer", "ManufacturerModelName", "StudyDate", "Rows", "Columns"),
)


def write_files(folder: Path, count: int, *, size: int) -> None:
    """Write so many files: the headers of phantom studies, each with an identifier and pixels of its own."""
    rng = np.random.default_rng(0)
    templates = list(_templates(size))
    pixels = rng.bytes(3 * size**2) if size < HOLES_FROM else b""
    for number in range(count):
        if number % A_FOLDER == 0:
            (folder / f"{number // A_FOLDER:06d}").mkdir(parents=True)
        header, uid = templates[number % len(templates)]
        own = f"2.25.{int(rng.integers(10**17, 10**18))}{number:018d}9999".encode()[: len(uid)].ljust(len(uid), b"7")
        path = folder / f"{number // A_FOLDER:06d}" / f"IM{number:07d}.dcm"
        with path.open("wb") as stream:
            stream.write(header.replace(uid, own))
            stream.write(pixels)
            stream.seek(len(header) + 3 * size**2 - 64)  # maybe over a hole, which takes no room on the disk
            stream.write(rng.bytes(64))


def _templates(size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield all that is before the pixels of phantom images, and their identifiers."""
    import io

    from pydicom import dcmwrite

    from monai_unlearn.phantom.ophthalmic import Photograph, encode
    from monai_unlearn.phantom.patients import LATERALITIES, draw_patient

    made, pixels = 0, np.zeros((size, size, 3), np.uint8)
    for number in range(1, TEMPLATES):
        patient = draw_patient(0, number)
        for visit in patient.visits:
            for laterality in LATERALITIES:
                buffer = io.BytesIO()
                dataset = encode(Photograph(0, patient, visit, laterality), pixels)
                dcmwrite(buffer, dataset, enforce_file_format=True)
                yield buffer.getvalue()[: -pixels.size], str(dataset.SOPInstanceUID).encode()
                made += 1
                if made == TEMPLATES:
                    return


def loop(folder: Path) -> int:
    """Read ten tags of each file with the plain loop."""
    import pydicom

    rows = []
    for path in sorted(folder.rglob("*.dcm")):
        dataset = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(TEN_TAGS))
        rows.append({keyword: dataset.get(keyword) for keyword in TEN_TAGS})
    return len(rows)


def measure(command: Sequence[str], cores: int) -> dict[str, Any]:
    """Run a command on so many cores; return its seconds, processor seconds, greatest memory in MB, and JSON output."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True)
    root = psutil.Process(process.pid)
    root.cpu_affinity(sorted(os.sched_getaffinity(0))[:cores])
    spent: dict[int, float] = {}
    peak, looks = 0.0, 0
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    while process.poll() is None:
        peak, looks = max(peak, _note_usage(root, spent, memory=looks % 10 == 0)), looks + 1
        time.sleep(0.02)
    seconds = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    output, _ = process.communicate()
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    by_process = sorted((value for pid, value in spent.items() if pid != process.pid), reverse=True)
    return {
        "seconds": seconds,
        "processor_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "of_workers": by_process,
        "peak_mb": peak,
        "output": json.loads(output),
    }


def _note_usage(root: psutil.Process, spent: dict[int, float], *, memory: bool) -> float:
    """Note the processor time of a process and its children; return the memory that they hold together, in MB."""
    held = 0.0
    try:
        for process in [root, *root.children(recursive=True)]:
            times = process.cpu_times()
            spent[process.pid] = times.user + times.system
            held += process.memory_full_info().pss if memory else 0
    except psutil.NoSuchProcess:
        return 0.0
    return held / 1e6


def measured_loop(folder: Path) -> dict[str, Any]:
    """Run the loop in a process of its own."""
    return measure([sys.executable, __file__, "--loop", str(folder)], 1)


def measured_build(folder: Path, workers: int) -> dict[str, Any]:
    """Run the command in a process of its own."""
    out = folder.parent / "index"
    words = ["index", "build", str(folder), "--out", str(out), "--workers", str(workers), "--json"]
    found = measure([sys.executable, "-m", "monai_unlearn", *words], workers)
    shutil.rmtree(out)
    found["output"] = {"images": found["output"]["images"]}
    return found


def one_round(work: Path, count: int) -> dict[str, Any]:
    """Measure each way, for all files of a size and for ten of them."""
    few, many = work / "few", work / "many"
    found = {
        "loop": (measured_loop(few), measured_loop(many)),
        "one process": (measured_build(few, 1), measured_build(many, 1)),
    }
    if count >= FOR_TWO:
        found["two processes"] = (measured_build(few, 2), measured_build(many, 2))
    row: dict[str, Any] = {}
    for name, (start, whole) in found.items():
        for kind in ("seconds", "processor_seconds"):
            start[kind], whole[kind] = round(start[kind], 3), round(whole[kind], 3)
        row[name] = {
            "start": {kind: start[kind] for kind in ("seconds", "processor_seconds")},
            "seconds": whole["seconds"],
            "processor_seconds": whole["processor_seconds"],
            "processor_seconds_of_workers": [round(value, 2) for value in whole["of_workers"]],
            "peak_mb": round(whole["peak_mb"]),
            "files_a_second": round((count - FEW) / (whole["processor_seconds"] - start["processor_seconds"])),
        }
    return row


def _net(row: dict[str, Any], name: str, kind: str) -> float:
    """Return what a way took, without its start-up."""
    return float(row[name][kind] - row[name]["start"][kind])


def summary(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the medians over the rounds of one size."""

    def median(values: Iterator[float]) -> float:
        return round(statistics.median(values), 3)

    found = {
        "times_the_loop": median(
            _net(row, "loop", "processor_seconds") / _net(row, "one process", "processor_seconds") for row in rounds
        ),
        "start_processor_seconds": median(row["one process"]["start"]["processor_seconds"] for row in rounds),
        "start_seconds": median(row["one process"]["start"]["seconds"] for row in rounds),
        "loop_files_a_second": median(row["loop"]["files_a_second"] for row in rounds),
        "files_a_second": median(row["one process"]["files_a_second"] for row in rounds),
        "peak_mb": max(row["one process"]["peak_mb"] for row in rounds),
    }
    if "two processes" not in rounds[0]:
        return found
    return {
        **found,
        "two_by_clock": median(
            _net(row, "one process", "seconds") / _net(row, "two processes", "seconds") for row in rounds
        ),
        "two_by_processor": median(map(_possible, rounds)),
        "peak_mb_of_two": max(row["two processes"]["peak_mb"] for row in rounds),
    }


def _possible(row: dict[str, Any]) -> float:
    """Return how much faster two processes can be at most: where neither core ever waits for the other."""
    return 2 * _net(row, "one process", "processor_seconds") / _net(row, "two processes", "processor_seconds")


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="the share of the files to measure")
    parser.add_argument("--sizes", nargs="*", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--loop", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.loop:
        print(json.dumps({"images": loop(options.loop)}))
        return
    sizes = {}
    for name in options.sizes:
        side, count = SIZES[name][0], int(SIZES[name][1] * options.scale)
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            write_files(work / "few", FEW, size=side)
            write_files(work / "many", count, size=side)
            measured_loop(work / "many")  # so that all of them are in the cache of the operating system
            rounds = [one_round(work, count) for _ in range(options.repeats)]
        sizes[name] = {"files": count, "pixels_a_side": side, **summary(rounds), "rounds": rounds}
        print(name, json.dumps(summary(rounds)))
    write({"facts": measured_with(), "claims": claims(sizes), "sizes": sizes}, "index_speed", options.results)


def claims(sizes: dict[str, Any]) -> dict[str, Any]:
    """Return whether what is claimed was measured."""
    slowest = min(size["times_the_loop"] for size in sizes.values())
    start = max(size["start_processor_seconds"] for size in sizes.values())
    two = [size["two_by_clock"] for size in sizes.values() if "two_by_clock" in size]
    found = {"times the loop": slowest, "seconds for ten files": start, "two processes": min(two, default=None)}
    return {
        name: {"wanted": wanted, "found": found[name], "met": _is_met(name, found[name])}
        for name, wanted in CLAIMS.items()
    }


def _is_met(name: str, found: float | None) -> bool | None:
    if found is None:
        return None
    return found <= CLAIMS[name] if name == "seconds for ten files" else found >= CLAIMS[name]


def measured_with(**more: object) -> dict[str, Any]:
    """Return commit, machine and versions, and how the files were stored."""
    return facts("monai-unlearn", "pydicom", "pyarrow", "duckdb", files_a_folder=A_FOLDER, **more)


if __name__ == "__main__":
    main()
