"""How long does a spec take on a million images, and how soon is a hostile one refused?

    python benchmarks/cohort_million_rows.py

The claims: five rules over one million rows, with the attrition table, take under 2 seconds on 2 cores; `Cohort.forget`
takes at most 2 processor seconds, in a process of at most 600 MB; `cohort preview` as a command takes at most 1.5
processor seconds, and a cohort statistic by group as well; and each of the hostile specs in
`tests/support/hostile_specs` is refused in under a second, from starting the command to its message.
Every count is compared with pandas, written independently below; the rows are made up, and seeded.
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
import pandas as pd
from benchmark_options import parser_of
from results_file import ROOT, facts, read, write

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.index import Index, write_index
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = "schema_version: 1\nname: million\nreason: other\n"
WITHDRAWN = 10_000
DEVICES = [f"{maker} {number}" for maker in ("Cirrus", "Spectralis", "Maestro", "Triton") for number in range(4)]
DIAGNOSES = ["normal", "glaucoma", "diabetic_retinopathy", "amd"]

SPECS = {
    "five rules": """
forget:
  - device in [Cirrus 0, Cirrus 1, Spectralis 2, Maestro 3]
  - Modality == OP
  - age >= 40
  - acquired between 2015-01-01 and 2019-12-31
  - any:
      - diagnosis in [glaucoma, amd]
      - not: station == S07
""",
    "cohort statistics": """
forget:
  - abs(mad_z(brain_volume) by (sex)) > 3
  - percentile_rank(age) > 50
unknown: forget
""",
    "10,000 patients": """
value_sets: {withdrawn: {file: withdrawn.txt}}
forget: patient in @withdrawn
""",
    "patients, half of them": """
forget: device == Cirrus 0 and diagnosis == glaucoma
scope: patient
sample: {fraction: 0.5, by: patient, stratify: diagnosis, seed: 7}
""",
    "one rule by patient": """
forget: device == Cirrus 0 and diagnosis == glaucoma
scope: patient
""",
}


def rows(number: int, seed: int) -> tuple[pd.DataFrame, dict[str, Kind]]:
    """Make rows such as an index of fundus photographs has, a few percent of each tag missing."""
    random = np.random.default_rng(seed)
    patient = np.sort(random.integers(0, number // 4, number))
    study = patient * 4 + random.integers(0, 3, number)

    def some(choices: list[Any], missing: float = 0.03) -> pd.Series:
        values = np.append(np.array(choices, dtype=object), None)
        codes = random.integers(0, len(choices), number)
        codes[random.random(number) < missing] = len(choices)
        return pd.Series(values[codes])

    def numbers(values: np.ndarray, missing: float = 0.05) -> pd.Series:
        return pd.Series(np.where(random.random(number) < missing, np.nan, values))

    days = pd.date_range("2012-01-01", "2022-12-31").date.tolist()
    text = {
        "Modality": some(["OP", "OPT", "OP", "OP"], 0.001),
        "Manufacturer": some(["ZEISS", "Heidelberg Engineering", "Topcon"]),
        "ManufacturerModelName": some(DEVICES),
        "DeviceSerialNumber": some([f"SN{number:05d}" for number in range(400)]),
        "SoftwareVersions": some(["1.0", "1.1", "2.0"]),
        "StationName": some([f"S{number:02d}" for number in range(40)]),
        "InstitutionName": some([f"Hospital {number}" for number in range(25)]),
        "StudyDescription": some(["Fundus", "Fundus and OCT", "Follow-up"]),
        "BodyPartExamined": some(["EYE"], 0.2),
        "ImageLaterality": some(["L", "R"]),
        "PatientSex": some(["F", "M", "O"]),
        "PhotometricInterpretation": some(["RGB", "YBR_FULL_422"]),
        "diagnosis": some(DIAGNOSES, 0.02),
    }
    dates = {"AcquisitionDate": some(days, 0.3), "StudyDate": some(days, 0.05)}
    measures = {
        "PatientAge": numbers(random.integers(0, 95, number).astype(float)),
        "Rows": numbers(np.full(number, 2048.0), 0.01),
        "Columns": numbers(np.full(number, 2448.0), 0.01),
        "brain_volume": numbers(random.normal(1200, 110, number).round(1)),
    }
    names = pd.Series(np.arange(number).astype(str))
    frame = pd.DataFrame(
        {
            "image_id": "2.25." + names,
            "path": "images/" + names + ".dcm",
            "patient": pd.Series(np.where(random.random(number) < 0.01, None, "P" + pd.Series(patient).astype(str))),
            "study": "S" + pd.Series(study).astype(str),
            "series": "E" + names,
            "fault": pd.Series(np.where(random.random(number) < 0.01, "no_pixel_data", None)),
            **text,
            **dates,
            **measures,
        }
    )
    kinds = {
        **dict.fromkeys(text, Kind.TEXT),
        **dict.fromkeys(dates, Kind.DATE),
        **dict.fromkeys(measures, Kind.NUMBER),
    }
    return frame, {**kinds, "PatientAge": Kind.AGE}


# pandas' answers: Kleene's logic of its nullable types, and nothing of the cohort room.


def readable(index: Index) -> pd.DataFrame:
    table = pd.concat(
        [pd.read_parquet(part, dtype_backend="numpy_nullable") for part in index.parts], ignore_index=True
    )
    return table[table["fault"].isna()]


def five_rules(table: pd.DataFrame) -> pd.Series:
    taken = pd.to_datetime(table["AcquisitionDate"]).fillna(pd.to_datetime(table["StudyDate"]))
    between = pd.Series(taken.between("2015-01-01", "2019-12-31"), dtype="boolean").mask(taken.isna())
    return (
        kleene_in(table["ManufacturerModelName"], ["Cirrus 0", "Cirrus 1", "Spectralis 2", "Maestro 3"])
        & (table["Modality"] == "OP")
        & (table["PatientAge"] >= 40)
        & between
        & (kleene_in(table["diagnosis"], ["glaucoma", "amd"]) | ~(table["StationName"] == "S07"))
    )


def cohort_statistics(table: pd.DataFrame) -> pd.Series:
    by_sex = table.groupby("PatientSex")["brain_volume"]
    centre = by_sex.transform("median")
    spread = (table["brain_volume"] - centre).abs().groupby(table["PatientSex"]).transform("median")
    distance = (0.6745 * (table["brain_volume"] - centre) / spread).abs()
    # Ranked as plain floats: pandas 2 ranks the nulls of its nullable type below all numbers.
    rank = table["PatientAge"].astype("float64").rank(method="max", pct=True) * 100
    outlier = (distance > 3) & (rank > 50).astype("boolean").mask(rank.isna())
    return outlier.fillna(True)  # noqa: FBT003 - what unknown: forget says


def listed(table: pd.DataFrame) -> pd.Series:
    return kleene_in(table["patient"], [f"P{number}" for number in range(WITHDRAWN)])


def by_patient(table: pd.DataFrame) -> pd.Series:
    """What a rule catches takes its patient along; who may be chosen, or is nobody, is left open."""
    chosen = (table["ManufacturerModelName"] == "Cirrus 0") & (table["diagnosis"] == "glaucoma")
    patients, possible = (set(table.loc[mask, "patient"].dropna()) for mask in (chosen.fillna(False), chosen.isna()))  # noqa: FBT003
    forget = chosen.fillna(False) | table["patient"].isin(patients)  # noqa: FBT003
    open_ = chosen.isna() | table["patient"].isin(possible) | table["patient"].isna()
    return forget.astype("boolean").mask(open_ & ~forget)


def kleene_in(values: pd.Series, choices: list[str]) -> pd.Series:
    return values.isin(choices).astype("boolean").mask(values.isna())


PANDAS: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "five rules": five_rules,
    "cohort statistics": cohort_statistics,
    "10,000 patients": listed,
    "one rule by patient": by_patient,
}


def pandas_counts(index: Index, answer: Callable[[pd.DataFrame], pd.Series]) -> dict[str, dict[str, int]]:
    """Return images and patients by part, as `Cohort.images` and `Cohort.patients` have them."""
    table = readable(index)
    found = answer(table)
    masks = {
        "forget": found.fillna(False),  # noqa: FBT003 - pandas' signature
        "remain": ~found.fillna(True),  # noqa: FBT003
        "undetermined": found.isna(),
    }
    return {
        "images": {part: int(mask.sum()) for part, mask in masks.items()},
        "patients": {part: int(table.loc[mask, "patient"].nunique()) for part, mask in masks.items()},
    }


def tool_counts(index: Index, spec: Path) -> dict[str, Any]:
    cohort = CohortSpec.read(spec).resolve(Index.open(index.directory))
    return {
        "images": cohort.images,
        "patients": cohort.patients,
        "attrition": [row.to_dict() for row in cohort.attrition],
    }


def timed(run: Callable[[], Any], repeats: int) -> tuple[list[float], Any]:
    """Return the seconds of each run after one that does not count, and the last result."""
    result = run()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        result = run()
        seconds.append(round(time.perf_counter() - started, 3))
    return seconds, result


def measure(index: Index, work: Path, repeats: int) -> dict[str, Any]:
    """Resolve every spec; stop where pandas counts otherwise."""
    results = {}
    for name, text in SPECS.items():
        spec = work / "spec.yaml"
        spec.write_text(HEAD + text, encoding="utf-8")
        seconds, counts = timed(lambda spec=spec: tool_counts(index, spec), repeats)
        result = {"spec": text.strip(), "seconds": seconds, "median": statistics.median(seconds), **counts}
        if name in PANDAS:
            by_pandas, expected = timed(lambda name=name: pandas_counts(index, PANDAS[name]), 1)
            if expected != {key: counts[key] for key in expected}:
                sys.exit(f"{name}: pandas counts {expected}, the tool {counts}")
            result["pandas_seconds"] = by_pandas[0]
            result["share_of_pandas"] = round(result["median"] / by_pandas[0], 3)
        results[name] = result
        print(f"{name}: {result['median']:.2f} s, {counts['images']}")
    check_sample(results)
    return results


def check_sample(results: dict[str, Any]) -> None:
    """Half of the patients must be half of them, within three standard deviations."""
    half, whole = (results[name]["patients"]["forget"] for name in ("patients, half of them", "one rule by patient"))
    if abs(half - whole / 2) > 3 * (whole / 4) ** 0.5:
        sys.exit(f"expected half of {whole} patients, got {half}")


def processor_seconds() -> float:
    """What finished child processes have used: unlike the clock, it does not count the machine's other work."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def child(index: Path, spec: Path) -> None:
    """Resolve a spec, take its parts and freeze it; print the processor seconds, and the peak of memory until then."""
    from monai_unlearn.cohort.resolve.frozen import freeze

    spent = time.process_time()
    found: dict[str, dict[str, float]] = {}

    def note(step: str) -> None:
        nonlocal spent
        # Not `ru_maxrss`, which begins with the memory of the process that started this one.
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines())
        peak = int(status["VmHWM"].split()[0]) * 1024 / 1e6
        found[step] = {"processor_seconds": round(time.process_time() - spent, 2), "peak_mb": round(peak)}
        spent = time.process_time()

    cohort = CohortSpec.read(spec).resolve(Index.open(index))
    note("resolve")
    len(cohort.forget)
    note("forget")
    freeze(cohort, spec.parent / "frozen")
    note("freeze")
    len(cohort.remain)
    note("remain")
    print(json.dumps(found))


def in_processes(index: Index, work: Path, repeats: int) -> dict[str, Any]:
    """Measure in new processes: the parts of a cohort as data frames, freezing it, and previews as commands."""
    results: dict[str, Any] = {}
    spec = work / "spec.yaml"
    for name in ("five rules", "cohort statistics", "one rule by patient"):
        spec.write_text(HEAD + SPECS[name], encoding="utf-8")
        seconds = []
        for _ in range(repeats):
            used = processor_seconds()
            command = [sys.executable, "-m", "monai_unlearn", "cohort", "preview", str(spec), "--json"]
            # As an installed package: its modules are compiled when they are first loaded.
            compiled = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
            words = [*command, "--index", str(index.directory)]
            subprocess.run(words, check=True, cwd=ROOT, capture_output=True, env=compiled)
            seconds.append(round(processor_seconds() - used, 2))
        shutil.rmtree(work / "frozen", ignore_errors=True)
        command = [sys.executable, __file__, "--child", str(index.directory), str(spec)]
        done = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
        results[name] = {"preview_processor_seconds": seconds, "python": json.loads(done.stdout)}
        print(f"{name}: {results[name]}")
    return results


def refuse(work: Path) -> dict[str, Any]:
    """Run the command on each hostile spec, from a new process to its message."""
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    from hostile_specs import HOSTILE

    cases = [case for case in HOSTILE if not case.index]
    seconds, processor = {}, {}
    for number, case in enumerate(cases):
        folder = work / f"hostile-{number}"
        folder.mkdir()
        command = [sys.executable, "-m", "monai_unlearn", "cohort", "validate", str(case.write(folder))]
        started, used = time.perf_counter(), processor_seconds()
        code = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, stdin=subprocess.DEVNULL).returncode
        seconds[case.id] = time.perf_counter() - started
        processor[case.id] = processor_seconds() - used
        if code != 2:
            sys.exit(f"{case.id}: expected exit code 2, got {code}")
    slowest = sorted(seconds, key=seconds.__getitem__, reverse=True)[:5]
    result = {
        "specs": len(cases),
        "exit_code": 2,
        "median": round(statistics.median(seconds.values()), 3),
        "max": round(max(seconds.values()), 3),
        "processor_median": round(statistics.median(processor.values()), 3),
        "processor_max": round(max(processor.values()), 3),
        "over_one_second": sum(value > 1 for value in seconds.values()),
        "slowest": {name: round(seconds[name], 3) for name in slowest},
    }
    print(f"{len(cases)} hostile specs: {result['median']:.2f} s in the median, {result['max']:.2f} s at most")
    return result


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only-processes", action="store_true", help="keep the rest of the committed result")
    parser.add_argument("--child", type=Path, nargs=2, metavar=("INDEX", "SPEC"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        frame, kinds = rows(options.rows, options.seed)
        index = write_index(frame, work / "index", kinds=kinds, label="diagnosis", units={"brain_volume": "ml"})
        del frame
        patients = "".join(f"P{number}\n" for number in range(WITHDRAWN))
        (work / "withdrawn.txt").write_text(patients, encoding="utf-8")
        size = sum(part.stat().st_size for part in index.parts)
        print(f"{index.rows} rows, {len(index.columns)} columns, {size / 1e6:.0f} MB")
        known = facts("monai-unlearn", "duckdb", "pyarrow", "pandas", "numpy", seed=options.seed)
        processes = {"facts": known, "specs": in_processes(index, work, options.repeats)}
        if options.only_processes:
            write({**read("cohort_million_rows"), "processes": processes}, "cohort_million_rows", options.results)
            return
        resolved = measure(index, work, options.repeats)
        result = {
            "facts": known,
            "index": {"rows": index.rows, "images": index.images, "columns": len(index.columns), "bytes": size},
            "resolve": resolved,
            "processes": processes,
            "hostile": refuse(work),
        }
    write(result, "cohort_million_rows", options.results)


if __name__ == "__main__":
    main()
