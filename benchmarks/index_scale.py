"""What does an index cost by its size, in seconds, bytes and memory; and how soon is a second run over?

    python benchmarks/index_scale.py

At 10,000 and 100,000 the files are real: small Ophthalmic Photography images, written here, seeded. At a million the
rows are synthesised: those of the real files over and over, each with a path and identifiers of its own, handed to the
build in place of reading. So the million measures what a build does beside listing and reading: duplicates, parts,
digest. Each is done in a process of its own; memory is that of all its processes together.

The claims: at most 400 MB whatever the size, and at most 5 seconds for a run over 100,000 unchanged files.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import index_speed
import pyarrow as pa
from benchmark_options import parser_of
from results_file import write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monai_unlearn.index.scan.workspace import Workspace

REAL, SYNTHESISED = (10_000, 100_000), (1_000_000,)
PIXELS_A_SIDE = 16
ROWS_A_BLOCK = 500


def synthesise(folder: Path, count: int) -> None:
    """Put rows in the place of reading, as `build` knows them."""
    from monai_unlearn.index import build as build_module
    from monai_unlearn.index.fast_readers import Reader, read_files
    from monai_unlearn.index.listing import Listed, Walk
    from monai_unlearn.index.scan.plan import FileCounts, Plan
    from monai_unlearn.index.scan.spool import Spool

    rows = read_files(list(Walk([folder]))[:ROWS_A_BLOCK], reader=Reader.AUTO)

    def make_plan(_walk: object, space: Workspace, _previous: object) -> Plan:
        files = Spool(space.folder / "listed.spool")
        for number in range(count):
            path = f"/archive/{number // 1000:06d}/{number:09d}.dcm"
            files.append(Listed(path=path, relative=path[9:], size=50_000, mtime_ns=number))
        files.close()
        return Plan(files, files, FileCounts(added=count))

    def read_fresh(plan: Plan, space: Workspace, **_: object) -> Iterator[int]:
        listed = iter(plan.files)
        for block in range(count // ROWS_A_BLOCK):
            with clocked():
                files = [next(listed) for _ in range(ROWS_A_BLOCK)]
                space.add_block(block, _as_files(rows, files, block))
            yield block

    build_module.make_plan, build_module.read_fresh = clocked()(make_plan), read_fresh


MAKING = {"seconds": 0.0, "processor_seconds": 0.0}  # what making rows up took, which is not the build's


@contextmanager
def clocked() -> Iterator[None]:
    """Add to `MAKING` what a block, or a function, takes."""
    begin, spent = time.perf_counter(), time.process_time()
    try:
        yield
    finally:
        MAKING["seconds"] += time.perf_counter() - begin
        MAKING["processor_seconds"] += time.process_time() - spent


def _as_files(rows: pa.Table, files: list[Any], block: int) -> pa.Table:
    """Return the rows as those of other files: of five images a series and fifty a patient."""
    first = block * ROWS_A_BLOCK
    own = {
        "path": [file.path for file in files],
        "file_size": [file.size for file in files],
        "file_mtime_ns": [file.mtime_ns for file in files],
        "SOPInstanceUID": [f"2.25.{10**37 + 7919 * (first + at)}" for at in range(len(files))],
        "SeriesInstanceUID": [f"2.25.{2 * 10**37 + 7919 * ((first + at) // 5)}" for at in range(len(files))],
        "StudyInstanceUID": [f"2.25.{3 * 10**37 + 7919 * ((first + at) // 10)}" for at in range(len(files))],
        "PatientID": [f"PHANTOM-{(first + at) // 50:08d}" for at in range(len(files))],
    }
    for name, values in own.items():
        at = rows.column_names.index(name)
        rows = rows.set_column(at, rows.schema.field(name), pa.array(values, rows.schema.field(name).type))
    return rows


def child(what: str, folder: Path, count: int) -> None:
    """Build once, in the index's own folder beside the files."""
    from monai_unlearn.index.build import BuildRequest, build

    if what == "synthesised":
        synthesise(folder, count)
    begin, spent = time.perf_counter(), time.process_time()
    report = build(BuildRequest(sources=(folder,), out=folder.parent / "index"), track=iter)
    found = {"seconds": time.perf_counter() - begin, "processor_seconds": time.process_time() - spent}
    found = {name: value - MAKING[name] for name, value in found.items()}
    print(json.dumps({**found, "images": report.index.images, **report.files.document()}))


def sizes(index: Path) -> dict[str, int]:
    """Return how many bytes an index takes, and how many of them are for cohorts to read."""
    parts = sum(path.stat().st_size for path in (index / "parts").iterdir())
    return {"bytes": sum(path.stat().st_size for path in index.rglob("*") if path.is_file()), "bytes_of_parts": parts}


def measured_child(what: str, folder: Path, workers: int, *, count: int) -> dict[str, Any]:
    """Build in a process of its own; its processor seconds are those of all its processes, without its imports."""
    words = ["--child", what, "--folder", str(folder), "--workers", str(workers), "--count", str(count)]
    found = index_speed.measure([sys.executable, __file__, *words], workers)
    by_child = found.pop("output")
    by_child["processor_seconds"] += sum(found["of_workers"])
    return {**by_child, "peak_mb": found["peak_mb"]}


def measured(work: Path, what: str, count: int) -> dict[str, Any]:
    """Build from nothing and, where the files are real, once more."""
    folder = work / "files"
    measure = partial(measured_child, count=count)
    row = {"rows": count, "how": what, "first": measure(what, folder, 2), **sizes(work / "index")}
    if what == "real":
        row["unchanged"] = measure(what, folder, 2)
    shutil.rmtree(work / "index")
    row["seconds_a_million"] = row["first"]["seconds"] * 1e6 / count
    row["bytes_a_million"] = row["bytes"] * 1e6 / count
    print(json.dumps(row))
    return row


def rows_of(work: Path, real: tuple[int, ...], synthesised: tuple[int, ...]) -> Iterator[dict[str, Any]]:
    """Measure each size."""
    for count in real:
        shutil.rmtree(work / "files", ignore_errors=True)
        index_speed.write_files(work / "files", count, size=PIXELS_A_SIDE)
        yield measured(work, "real", count)
    for count in synthesised:
        yield measured(work, "synthesised", count)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--real", type=int, nargs="*", default=REAL)
    parser.add_argument("--synthesised", type=int, nargs="*", default=SYNTHESISED)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.folder, options.count)
        return
    with tempfile.TemporaryDirectory() as work:
        found = list(rows_of(Path(work), tuple(options.real), tuple(options.synthesised)))
        write_result(options, found)


def write_result(options: argparse.Namespace, found: list[dict[str, Any]]) -> None:
    """Write what was found, and whether the claims hold."""
    unchanged = {row["rows"]: row["unchanged"]["seconds"] for row in found if "unchanged" in row}
    peak = max(row["first"]["peak_mb"] for row in found)
    claims = {
        "at most 400 MB": {"peak_mb": peak, "met": peak <= 400},
        "100,000 unchanged in 5 s": {"seconds": unchanged.get(100_000), "met": unchanged.get(100_000, 6) <= 5},
    }
    document = {"facts": index_speed.measured_with(files=sum(options.real)), "claims": claims, "rows": found}
    write(document, "index_scale", options.results)


if __name__ == "__main__":
    sys.exit(main())
