"""Does an index notice that it was changed, and what does that cost on a million rows?

    python benchmarks/index_binding.py

The claims: of 1,000 single bits flipped in all files of an index, none changes a cohort unnoticed, also with size and
time of the file restored; opening a million rows costs at most half a second the first time, and a few milliseconds
until the files change. Beside it: how many of the flips change a cohort where nothing is compared (`--trust`), and what
the digest of an image's pixels costs beside reading the image.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark_options import parser_of
from cohort_million_rows import rows
from results_file import ROOT, facts, write

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.data import read_image
from monai_unlearn.index import Index, write_index
from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.index.readers.pixel_digest import pixel_digests
from monai_unlearn.index.store.digest_cache import SETTLED_NS
from monai_unlearn.index.store.part_writer import ROWS_A_PART
from monai_unlearn.index.verify import verify_index
from monai_unlearn.phantom import write_fundus_studies

sys.path.insert(0, str(ROOT / "tests" / "support"))
from bit_flips import REFUSED, Flip, cohort_digest, flipped, flips

if TYPE_CHECKING:
    from collections.abc import Callable

SPEC = """
schema_version: 1
name: flips
reason: other
forget: device == Cirrus 800 FA and age > 50
unknown: forget
scope: patient
"""
CRASHED = "crashed"
KINDS = ("index.json", "parts", "files")


def kind_of(flip: Flip) -> str:
    return "parts" if flip.path.parent.name == "parts" else flip.path.name.partition("-")[0]


def outcome(flip: Flip, directory: Path, before: str, *, trust: bool) -> str:
    with flipped(flip):
        found = cohort_digest(directory, CohortSpec.parse(SPEC, source="flips.yaml"), trust=trust)
    return {before: "same", REFUSED: "refused"}.get(found, "changed")


def flip_bits(work: Path, count: int, seed: int) -> dict[str, Any]:
    """Flip each bit twice: with the files compared, and trusted. Damaged Parquet may crash a library that trusts it."""
    write_fundus_studies(work / "studies", patients=100, seed=seed, size=64, progress=lambda _: None)
    request = BuildRequest(sources=(work / "studies",), out=work / "flips")
    directory = build(request, track=iter).index.directory
    before = cohort_digest(directory, CohortSpec.parse(SPEC, source="flips.yaml"))
    chosen = flips(directory, count, seed=seed)
    results: dict[str, Any] = {"flips": count, "files": dict(Counter(map(kind_of, chosen)))}
    for name, trust in (("compared", False), ("trusted", True)):
        found: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
        for flip in chosen:
            found[kind_of(flip)][in_a_process(flip, directory, before, trust=trust)] += 1
        results[name] = {kind: dict(counts) for kind, counts in found.items()}
        print(f"{name}: {results[name]}")
    changed = sum(counts.get("changed", 0) for counts in results["compared"].values())
    if changed or cohort_digest(directory, CohortSpec.parse(SPEC, source="flips.yaml")) != before:
        sys.exit(f"{changed} flipped bits change the cohort unnoticed")
    return results


def in_a_process(flip: Flip, directory: Path, before: str, *, trust: bool) -> str:
    """Trusted files are read in a process of their own; it is forked, since starting 1,000 takes long."""
    if not trust:
        return outcome(flip, directory, before, trust=False)
    content, state = flip.path.read_bytes(), flip.path.stat()
    context = get_context("fork")
    queue = context.SimpleQueue()
    process = context.Process(target=lambda: queue.put(outcome(flip, directory, before, trust=True)))
    process.start()
    process.join(60)
    if process.exitcode == 0:
        return queue.get()
    process.kill()
    flip.path.write_bytes(content)
    os.utime(flip.path, ns=(state.st_atime_ns, state.st_mtime_ns))
    return CRASHED


def timed(run: Callable[[], Any], repeats: int, *, before: Callable[[], Any] = lambda: None) -> dict[str, Any]:
    seconds = []
    for _ in range(repeats):
        before()
        started = time.perf_counter()
        run()
        seconds.append(round(time.perf_counter() - started, 4))
    return {"seconds": seconds, "median": statistics.median(seconds)}


def open_million(work: Path, number: int, seed: int, repeats: int) -> dict[str, Any]:
    frame, kinds = rows(number, seed)
    index = write_index(frame, work / "million", kinds=kinds, label="diagnosis")
    del frame
    directory, cache = index.directory, work / "cache"
    os.environ["XDG_CACHE_HOME"] = str(cache)

    def forget() -> None:
        for file in cache.rglob("*.txt"):
            file.unlink()

    def from_disk() -> None:
        forget()
        for part in index.parts:
            with part.open("rb") as stream:
                os.fsync(stream.fileno())
                os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    time.sleep(SETTLED_NS / 1e9 + 0.5)
    result: dict[str, Any] = {
        "rows": index.rows,
        "parts": len(index.parts),
        "bytes": sum(part.stat().st_size for part in index.parts),
        "first open, files on disk": timed(lambda: Index.open(directory), repeats, before=from_disk),
        "first open, files in memory": timed(lambda: Index.open(directory), repeats, before=forget),
        "later opens": timed(lambda: Index.open(directory), repeats),
        "trusted": timed(lambda: Index.open(directory, trust=True), repeats),
        "verify": timed(lambda: verify_index(directory), repeats),
    }
    if number > ROWS_A_PART and Index.open(directory).checked.hashed:
        sys.exit("expected no byte to be hashed once the files are known")
    for name, found in result.items():
        print(f"{name}: {found['median'] if isinstance(found, dict) else found}")
    return result


def digest_pixels(work: Path, seed: int, repeats: int) -> dict[str, Any]:
    """Take the digests of the pixels of images, and read the same images as a network takes them."""
    write_fundus_studies(work / "photographs", patients=100, seed=seed, size=256, progress=lambda _: None)
    paths = sorted((work / "photographs").rglob("*.dcm"))
    result: dict[str, Any] = {
        "images": len(paths),
        "bytes": sum(path.stat().st_size for path in paths),
        "digests": timed(lambda: pixel_digests(paths), repeats),
        "reading": timed(lambda: [read_image(path) for path in paths], repeats),
    }
    print(f"{len(paths)} images: digests {result['digests']['median']} s, reading {result['reading']['median']} s")
    return result


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--flips", type=int, default=1_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        result = {
            "facts": facts("monai-unlearn", "duckdb", "pyarrow", seed=options.seed),
            "bit_flips": flip_bits(work, options.flips, options.seed),
            "pixels": digest_pixels(work, options.seed, options.repeats),
            "open": open_million(work, options.rows, options.seed, options.repeats),
        }
    write(result, "index_binding", options.results)


if __name__ == "__main__":
    main()
