"""How fast does `index build` read, against the plain loop that one would write instead, and in how much memory?

    python benchmarks/index_speed.py

The files are Ophthalmic Photography images of 128 by 128 pixels, made here from the phantom's headers, seeded, ten in a
folder. The plain loop calls `pydicom.dcmread(path, stop_before_pixels=True)` for each of them and reads the same tags;
it neither checks that a file is whole nor writes anything. The index is built from nothing to Parquet on disk: listing,
reading, checking where each file ends, duplicates, digest. Both run in processes of their own on the same cores, one
after the other in the same round; ratios are of the same round, and the median of the rounds counts. Processor seconds
are those of all processes together, which other work on the machine changes less than it changes wall time.

The claims: 5 times as many files a second on one core, 9 times on two, and at most 400 MB.
"""

from __future__ import annotations

import argparse
import json
import os
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

SIZE = 128
A_FOLDER = 10
TEMPLATES = 400
CLAIMS = {"one core": 5.0, "two cores": 9.0}


def write_files(folder: Path, count: int, *, size: int = SIZE) -> None:
    """Write so many files: the headers of phantom studies, each with an identifier and pixels of its own."""
    rng = np.random.default_rng(0)
    templates = list(_templates(rng, size))
    for number in range(count):
        if number % A_FOLDER == 0:
            (folder / f"{number // A_FOLDER:06d}").mkdir(parents=True)
        content, uid = templates[number % len(templates)]
        own = f"2.25.{int(rng.integers(10**17, 10**18))}{number:018d}9999".encode()[: len(uid)].ljust(len(uid), b"7")
        pixels = rng.bytes(64)
        path = folder / f"{number // A_FOLDER:06d}" / f"IM{number:07d}.dcm"
        path.write_bytes(content[:-64].replace(uid, own) + pixels)


def _templates(rng: np.random.Generator, size: int) -> Iterator[tuple[bytes, bytes]]:
    import io

    from pydicom import dcmwrite

    from monai_unlearn.phantom.ophthalmic import Photograph, encode
    from monai_unlearn.phantom.patients import LATERALITIES, draw_patient

    made = 0
    for number in range(1, TEMPLATES):
        patient = draw_patient(0, number)
        for visit in patient.visits:
            for laterality in LATERALITIES:
                buffer = io.BytesIO()
                dataset = encode(
                    Photograph(0, patient, visit, laterality), rng.integers(0, 255, (size, size, 3), np.uint8)
                )
                dcmwrite(buffer, dataset, enforce_file_format=True)
                yield buffer.getvalue(), str(dataset.SOPInstanceUID).encode()
                made += 1
                if made == TEMPLATES:
                    return


def loop(folder: Path) -> int:
    """Read the tags of an index with the plain loop."""
    import pydicom

    from monai_unlearn.index.readers.row import tag_columns

    keywords = list(tag_columns())
    rows = []
    for path in sorted(folder.rglob("*.dcm")):
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        rows.append({keyword: dataset.get(keyword) for keyword in keywords})
    return len(rows)


def index(folder: Path, reader: str, workers: int) -> int:
    """Build the index of the same files."""
    from monai_unlearn.index.build import BuildRequest, build
    from monai_unlearn.index.scan.options import ScanOptions

    with tempfile.TemporaryDirectory(dir=folder.parent) as out:
        options = ScanOptions.of(reader=reader, workers=workers, dask=None)
        return build(BuildRequest(sources=(folder,), out=Path(out) / "index", scan=options), track=iter).index.images


def child(what: str, folder: Path, workers: int) -> None:
    """Do one of them, with everything that it needs loaded before its time begins."""
    import duckdb
    import pydicom

    import monai_unlearn.index.build

    del duckdb, pydicom, monai_unlearn
    begin, spent = time.perf_counter(), time.process_time()
    images = loop(folder) if what == "loop" else index(folder, what, workers)
    seconds, processor = time.perf_counter() - begin, time.process_time() - spent
    print(json.dumps({"images": images, "seconds": seconds, "processor_seconds": processor}))


def measure(
    what: str, folder: Path, cores: int, *, script: str = __file__, arguments: Sequence[str] = ()
) -> dict[str, float]:
    """Run one of them on so many cores; return its seconds, processor seconds and greatest memory in MB."""
    command = [sys.executable, script, "--child", what, "--folder", str(folder), "--workers", str(cores), *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    root = psutil.Process(process.pid)
    root.cpu_affinity(sorted(os.sched_getaffinity(0))[:cores])
    spent: dict[int, float] = {}
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, _note_usage(root, spent))
        time.sleep(0.1)
    output, _ = process.communicate()
    if process.returncode:
        sys.exit(f"{what} ended with {process.returncode}")
    found = json.loads(output)
    # The worker processes, from their start on.
    found["processor_seconds"] += sum(seconds for pid, seconds in spent.items() if pid != process.pid)
    return {**found, "peak_mb": peak}


def _note_usage(root: psutil.Process, spent: dict[int, float]) -> float:
    """Note the processor time of a process and its children; return the memory that they hold together, in MB."""
    memory = 0.0
    try:
        for process in [root, *root.children(recursive=True)]:
            times = process.cpu_times()
            spent[process.pid] = times.user + times.system
            memory += process.memory_full_info().pss
    except psutil.NoSuchProcess:
        return 0.0
    return memory / 1e6


def rounds(folder: Path, count: int, repeats: int) -> list[dict[str, Any]]:
    """Measure each way once a round."""
    found = []
    for number in range(repeats):
        row: dict[str, Any] = {"round": number}
        for name, what, cores in (
            ("loop, one core", "loop", 1),
            ("auto, one core", "auto", 1),
            ("auto, two cores", "auto", 2),
            ("gdcm, one core", "gdcm", 1),
            ("pydicom, one core", "pydicom", 1),
        ):
            row[name] = measured = measure(what, folder, cores)
            measured["files_a_second"] = count / measured["seconds"]
            print(f"round {number}: {name}: {measured['files_a_second']:,.0f} files/s, {measured['peak_mb']:.0f} MB")
        found.append(row)
    return found


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the medians of the ratios against the loop, and the greatest memory."""
    ways = [name for name in found[0] if name not in ("round", "loop, one core")]
    ratios = {
        name: statistics.median(row["loop, one core"]["seconds"] / row[name]["seconds"] for row in found)
        for name in ways
    }
    processor = {
        name: statistics.median(
            row["loop, one core"]["processor_seconds"] / row[name]["processor_seconds"] for row in found
        )
        for name in ways
    }
    return {
        "ratio_of_seconds": ratios,
        "ratio_of_processor_seconds": processor,
        "loop_files_a_second": statistics.median(row["loop, one core"]["files_a_second"] for row in found),
        "peak_mb": {name: max(row[name]["peak_mb"] for row in found) for name in ways},
        "claims": {
            f"auto, {name}": {"wanted": claim, "met": ratios[f"auto, {name}"] >= claim}
            for name, claim in CLAIMS.items()
        },
    }


def measured_with(count: int) -> dict[str, Any]:
    """Return commit, machine and versions, and how many files were read."""
    packages = ("monai-unlearn", "pydicom", "python-gdcm", "pyarrow", "duckdb")
    return facts(*packages, files=count, files_a_folder=A_FOLDER)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.folder, options.workers)
        return
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "files"
        write_files(folder, options.files)
        loop(folder)  # so that all of them are in the cache of the operating system
        found = rounds(folder, options.files, options.repeats)
    document = {"facts": measured_with(options.files), **summary(found), "rounds": found}
    write(document, "index_speed", options.results)
    print(json.dumps(document["ratio_of_seconds"], indent=1))


if __name__ == "__main__":
    main()
