"""Compares `index pull` with the raw rate at which the same Orthanc sends metadata, in one run on one machine.

    python benchmarks/pacs_pull.py --results benchmarks/results

| target | value |
| --- | --- |
| images read per second, against the raw rate of WADO-RS metadata on as many connections | at least 0.6 |
| memory of the process | at most 300 MB |
| a pull of an archive in which nothing changed | at most 2 s |
| bytes of the images, against bytes received | at least 10 |
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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

import pydicom
import requests
from orthanc import MISSING, Orthanc, program, running_orthanc
from pydicom.uid import generate_uid

from monai_unlearn.phantom import write_fundus_studies

CONNECTIONS = 8


def store_studies(orthanc: Orthanc, folder: Path, *, studies: int) -> int:
    """Store studies of two photographs; return the bytes of their files."""
    write_fundus_studies(folder, patients=4, size=128)
    first, second = (pydicom.dcmread(path) for path in sorted(folder.rglob("*.dcm"))[:2])
    total = 0
    with requests.Session() as session:
        for number in range(studies):
            study = generate_uid(entropy_srcs=["study", str(number)])
            for side, dataset in enumerate((first, second)):
                dataset.PatientID, dataset.StudyInstanceUID = f"BENCHMARK-{number:06d}", study
                dataset.SeriesInstanceUID = generate_uid(entropy_srcs=["series", str(number), str(side)])
                dataset.SOPInstanceUID = generate_uid(entropy_srcs=["image", str(number), str(side)])
                dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
                path = folder / "one.dcm"
                dataset.save_as(path)
                total += path.stat().st_size
                session.post(f"{orthanc.http}/instances", data=path.read_bytes(), timeout=60).raise_for_status()
    return total


def raw_rate(orthanc: Orthanc) -> float:
    """Return how many instances a second Orthanc sends the metadata of, to a client that throws it away."""
    found = requests.get(f"{orthanc.dicomweb}/studies", timeout=600).json()
    uids = [study["0020000D"]["Value"][0] for study in found]
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=CONNECTIONS))

    def ask(uid: str) -> int:
        answer = session.get(
            f"{orthanc.dicomweb}/studies/{uid}/metadata", headers={"Accept": "application/dicom+json"}, timeout=60
        )
        answer.raise_for_status()
        return len(answer.content)

    begin = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(ask, uids))
    return 2 * len(uids) / (time.perf_counter() - begin)


def pulled(orthanc: Orthanc, out: Path) -> dict[str, object]:
    """Pull in a process of its own; return its document, with its wall time and its most memory in MB."""
    command = [sys.executable, "-m", "monai_unlearn", "index", "pull", "--dicomweb", orthanc.dicomweb]
    begin = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--out", str(out), "--connections", str(CONNECTIONS), "--json"], stdout=subprocess.PIPE
    )
    content = process.stdout.read() if process.stdout else b""
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    if status:
        sys.exit("the pull failed")
    return {**json.loads(content), "wall_seconds": wall, "memory_mb": usage.ru_maxrss / 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--studies", type=int, default=1150)
    arguments = parser.parse_args()
    if program() is None:
        sys.exit(MISSING)
    with tempfile.TemporaryDirectory() as name, running_orthanc(Path(name, "orthanc")) as orthanc:
        size = store_studies(orthanc, Path(name, "studies"), studies=arguments.studies)
        rates = [raw_rate(orthanc)]
        first = pulled(orthanc, Path(name, "index"))
        rates.append(raw_rate(orthanc))
        again = [pulled(orthanc, Path(name, "index")) for _ in range(3)]
    raw, reading = statistics.mean(rates), first["images"] / first["seconds"]["read"]
    found = {
        "studies": arguments.studies,
        "images": first["images"],
        "raw_images_per_second": [round(rate, 1) for rate in rates],
        "pulled_images_per_second": round(reading, 1),
        "share_of_raw": round(reading / raw, 3),
        "first_pull_seconds": {**first["seconds"], "wall": round(first["wall_seconds"], 2)},
        "memory_mb": round(max(first["memory_mb"], *(each["memory_mb"] for each in again)), 1),
        "unchanged_pull_wall_seconds": [round(each["wall_seconds"], 2) for each in again],
        "unchanged_pull_requests": again[0]["requests"],
        "bytes_of_images": size,
        "bytes_received": first["bytes"],
        "times_fewer_bytes": round(size / first["bytes"], 1),
        "load_average": [round(load, 1) for load in os.getloadavg()],
    }
    found["targets_met"] = {
        "share_of_raw": found["share_of_raw"] >= 0.6,
        "memory": found["memory_mb"] <= 300,
        "unchanged": min(found["unchanged_pull_wall_seconds"]) <= 2,
        "bytes": found["times_fewer_bytes"] >= 10,
    }
    print(json.dumps(found, indent=2))
    if arguments.results is not None:
        from results_file import facts, write

        write({"facts": facts("monai-unlearn", "requests"), **found}, "pacs_pull", arguments.results)


if __name__ == "__main__":
    main()
