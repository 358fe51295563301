"""Pulls an index from Orthanc through a proxy that injects faults, until 200 were injected: nothing is lost or doubled.

    python benchmarks/pacs_faults.py --results benchmarks/results

Every pull must end with the digest of an undisturbed pull, or with an `ArchiveError` after which the next one goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from orthanc import MISSING, Orthanc, program, running_orthanc
from small_server import FaultProxy, small_server

from monai_unlearn.errors import ArchiveError
from monai_unlearn.index.build_request import BuildRequest
from monai_unlearn.index.pull import PullReport, PullRequest, pull
from monai_unlearn.index.sources.web_archive import WebArchive
from monai_unlearn.pacs.access import Access
from monai_unlearn.phantom import write_fundus_studies


def pull_from(url: str, out: Path) -> PullReport:
    """Pull, with short waits; return the report."""
    build = BuildRequest(sources=(), out=out)
    access = Access(url=url, wait=0.002, timeout=10.0)
    with closing(WebArchive(access, today=build.built)) as archive:
        return pull(PullRequest(build=build), archive, track=iter)


def undaunted(url: str, out: Path) -> tuple[str, int]:
    """Pull again after every error; return the digest of the index, and how many errors there were."""
    try:
        return pull_from(url, out).build.index.digest, 0
    except ArchiveError:
        digest, errors = undaunted(url, out)
        return digest, errors + 1


def injected_until(orthanc: Orthanc, folder: Path, *, faults: int, share: float = 0.35) -> dict[str, object]:
    """Pull into new folders until so many faults were injected; return what happened.

    Args:
        orthanc: A running Orthanc with studies.
        folder: Where to write indexes.
        faults: How many faults to inject.
        share: The share of requests that a fault is injected into.
    """
    expected = pull_from(orthanc.dicomweb, folder / "undisturbed").build.index.digest
    injected, pulls, errors, wrong = Counter[str](), 0, 0, 0
    while sum(injected.values()) < faults:
        proxy = FaultProxy(orthanc.http, share=share, seed=pulls)
        out = folder / f"pull-{pulls}"
        with small_server(proxy) as server:
            digest, failures = undaunted(f"{server.url}/dicom-web", out)
            errors += failures
        injected.update(proxy.injected)
        pulls += 1
        wrong += digest != expected
    return {
        "injected": dict(sorted(injected.items())),
        "faults": sum(injected.values()),
        "pulls": pulls,
        "pulls_that_ended_with_an_error_and_were_gone_on_with": errors,
        "indexes_that_differ": wrong,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--faults", type=int, default=200)
    arguments = parser.parse_args()
    if program() is None:
        sys.exit(MISSING)
    with tempfile.TemporaryDirectory() as name, running_orthanc(Path(name, "orthanc")) as orthanc:
        write_fundus_studies(Path(name, "studies"), patients=20, size=64)
        orthanc.store(Path(name, "studies"))
        found = injected_until(orthanc, Path(name), faults=arguments.faults)
    print(json.dumps(found, indent=2))
    if arguments.results is not None:
        from results_file import facts, write

        write({"facts": facts("monai-unlearn", "requests"), **found}, "pacs_faults", arguments.results)
    sys.exit(found["indexes_that_differ"] != 0)


if __name__ == "__main__":
    main()
