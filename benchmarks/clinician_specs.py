"""Do specs as clinicians write them select what they say, on a million real series?

    python benchmarks/clinician_specs.py

The specs are those of `cohort_specs/idc/`; the table is `idc_index.parquet` of the package `idc-index-data`, 1,044,191
real series of the NCI Imaging Data Commons. `idc_answers.py` answers each in pandas, from the documentation of the
language and without any code of the package. The claim: every part has the same series, not only the same number. The
benchmark stops where one differs.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml
from benchmark_options import parser_of
from idc_answers import ANSWERS, FOLDER, OF_DERIVED, parts, table_of
from results_file import ROOT, facts, write

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.index import Index

if TYPE_CHECKING:
    from pandas_answers import Frame


def imported(table: Path, out: Path, *more: str) -> Index:
    """Make an index of a table by the command."""
    words = ["index", "from-table", str(table), "--id", "SeriesInstanceUID", "--out", str(out), *more, "--json"]
    subprocess.run([sys.executable, "-m", "monai_unlearn", *words], check=True, cwd=ROOT, capture_output=True)
    return Index.open(out)


def compared(name: str, table: Frame, index: Index) -> dict[str, Any]:
    """Resolve one spec; return its counts.

    Raises:
        ValueError: pandas finds other series in a part.
    """
    spec = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    expected = parts(name, table)
    cohort = CohortSpec.read(FOLDER / f"{name}.yaml").resolve(index)
    found = {part: set(series) for part, series in cohort.image_ids.items()}
    if sample := spec.get("sample"):
        # pandas draws nothing: as many as wanted, of those that the rule catches; the others remain.
        if not found["forget"] <= expected["forget"] or len(found["forget"]) != sample["count"]:
            raise ValueError(f"{name}: the sample is not {sample['count']} of the series that the rule catches")
        expected["remain"] |= expected["forget"] - found["forget"]
        expected["forget"] = found["forget"]
    patients = table.set_index("SeriesInstanceUID")["PatientID"]
    for part, series in expected.items():
        people = patients[list(series)].nunique()
        if found[part] != series or cohort.patients[part] != people:
            raise ValueError(
                f"{name}: pandas has {len(series)} series of {people} patients in {part}, the tool {len(found[part])} "
                f"of {cohort.patients[part]}, and {len(found[part] ^ series)} series differ"
            )
    return {"images": cohort.images, "patients": cohort.patients}


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--table", type=Path, help="idc_index.parquet; found in the package where not given")
    options = parser.parse_args()
    if options.table is None:
        import idc_index_data

        options.table = Path(idc_index_data.IDC_INDEX_PARQUET_FILEPATH)
    today = pd.Timestamp.today().normalize()
    results: dict[str, Any] = {}
    indexes: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind, more in (("images", ()), ("with derived objects", ("--include-derived",))):
            derived = bool(more)
            index = imported(options.table, Path(folder) / kind.replace(" ", "-"), *more)
            table = table_of(options.table, today, derived=derived)
            indexes[kind] = {"rows": index.rows, "images": index.images}
            if index.images != len(table):
                sys.exit(f"{kind}: pandas counts {len(table)} images, the tool {index.images}")
            for name in ANSWERS:
                if (name in OF_DERIVED) == derived:
                    results[name] = compared(name, table, index)
                    print(f"{name}: {results[name]['images']}")
            del table
    document = {
        "facts": facts("monai-unlearn", "duckdb", "pyarrow", "pandas", "idc-index-data"),
        "indexes": indexes,
        "specs": results,
    }
    write(document, "clinician_specs", options.results)


if __name__ == "__main__":
    main()
