"""How large is a frozen cohort of a million images, and how long does it take to freeze and to read?

    python benchmarks/frozen_cohort.py

The claim: `cohort_members.parquet` takes less than 15 MB per million images, whatever form their identifiers have.
Identifiers are made up, and seeded, in five forms. Random digits cannot be compressed: 128 random bits are 16 MB per
million, of which sorting saves 2; so the forms with that many lie near 15 MB.
"""

from __future__ import annotations

import hashlib
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from benchmark_options import parser_of
from results_file import facts, write

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.cohort.resolve.frozen import Frozen, freeze
from monai_unlearn.index import write_index
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from monai_unlearn.index import Index

SPEC = "schema_version: 1\nname: million\nreason: other\nforget: device == Cirrus 0\n"
# As the archives of the NCI Imaging Data Commons, pydicom and the standard (PS3.5 B.2) form UIDs; then our own
# identifiers of plain images, and UIDs that count within a series, as scanners write them.
FORMS: dict[str, Callable[[random.Random, int], str]] = {
    "archive: a root and 30 digits": lambda draw, _: f"1.3.6.1.4.1.14519.5.2.1.6279.6001.{draw.randrange(10**30)}",
    "pydicom: a root and 38 digits": lambda draw, _: f"1.2.826.0.1.3680043.8.498.{draw.randrange(10**38)}",
    "2.25 and 128 bits": lambda draw, _: f"2.25.{draw.getrandbits(128)}",
    "plain images: 32 hex digits": lambda _, number: hashlib.sha256(str(number).encode()).hexdigest()[:32],
    "scanner: counting in a series": lambda _, number: (
        f"1.3.12.2.1107.5.2.32.35177.{20190101 + number // 200_000}{number // 200 % 1000:06}.{number % 200}.0.0.0"
    ),
}


def index_of(folder: Path, form: Callable[[random.Random, int], str], rows: int, seed: int) -> Index:
    draw, numbers = random.Random(seed), np.random.default_rng(seed)  # noqa: S311 - no secret
    frame = pd.DataFrame(
        {
            "image_id": pd.Series([form(draw, number) for number in range(rows)]),
            "path": pd.Series(np.arange(rows)).astype(str) + ".dcm",
            "patient": "P" + pd.Series(np.arange(rows) // 4).astype(str),
            "ManufacturerModelName": numbers.choice([f"Cirrus {number}" for number in range(10)], rows),
        }
    )
    return write_index(frame, folder, kinds={"ManufacturerModelName": Kind.TEXT})


def measure(work: Path, form: Callable[[random.Random, int], str], rows: int, seed: int) -> dict[str, Any]:
    cohort = CohortSpec.parse(SPEC).resolve(index_of(work / "index", form, rows, seed))
    started = time.perf_counter()
    freeze(cohort, work / "frozen")
    frozen = time.perf_counter()
    if len(Frozen.read(work / "frozen").members) != rows:
        sys.exit("the frozen cohort has other members than the index")
    read = time.perf_counter()
    sizes = {path.name: path.stat().st_size for path in sorted((work / "frozen").iterdir())}
    return {
        "example": form(random.Random(seed), 1),  # noqa: S311 - no secret
        "bytes": sizes,
        "megabytes_per_million": round(sizes["cohort_members.parquet"] / rows, 2),
        "freeze_seconds": round(frozen - started, 2),
        "read_seconds": round(read - frozen, 2),
    }


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    found = {}
    for name, form in FORMS.items():
        with tempfile.TemporaryDirectory() as folder:
            found[name] = measure(Path(folder), form, options.rows, options.seed)
        print(f"{name}: {found[name]['megabytes_per_million']} MB per million", flush=True)
    document = {"facts": facts("monai-unlearn", "pyarrow", seed=options.seed), "rows": options.rows, "forms": found}
    write(document, "frozen_cohort", options.results)


if __name__ == "__main__":
    main()
