"""How fast is the studio on a million rows: its first page under 1 s, the preview of a keystroke under 0.7 s.

Requests go through the whole application without a network. The first preview is not counted: it opens the database.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from cohort_million_rows import rows
from results_file import RESULTS, facts, write
from starlette.testclient import TestClient

from monai_unlearn.index import write_index
from monai_unlearn.studio.app import build_app
from monai_unlearn.studio.settings import Settings
from monai_unlearn.studio.studio import Studio

ORIGIN = "http://127.0.0.1:8477"
SPEC = """schema_version: 1
name: speed
reason: device_deprecation
forget:
  - device in [Cirrus 0, Cirrus 1, Spectralis 2, Maestro 3]
  - age >= {age}
"""
MOST_FIRST_PAGE, MOST_KEYSTROKE = 1.0, 0.7


def measure(studio: Studio, repeats: int) -> dict[str, object]:
    client = TestClient(build_app(studio, [ORIGIN]), base_url=ORIGIN)
    client.get(f"/?token={studio.session.token}")

    def seconds(method: str, path: str, **fields: str) -> float:
        data = {"form_token": studio.session.form, **fields} if method == "POST" else None
        start = time.perf_counter()
        answer = client.request(method, path, data=data, headers={"origin": ORIGIN})
        taken = time.perf_counter() - start
        if answer.status_code != 200 or "data-line" in answer.text:
            raise SystemExit(f"{path}: {answer.status_code}")
        return round(taken, 3)

    first = seconds("GET", "/cohort")
    # Each keystroke gives another cohort, so none is taken from those that are kept.
    typed = [seconds("POST", "/cohort/preview", text=SPEC.format(age=40 + n), name="new") for n in range(repeats + 1)]
    line = "forget: device == Cir"
    suggested = [seconds("POST", "/cohort/suggest", text=line, cursor=str(len(line))) for _ in range(repeats)]
    return {
        "first_page_seconds": first,
        "first_preview_seconds": typed[0],
        "keystroke_seconds": typed[1:],
        "keystroke_median": statistics.median(typed[1:]),
        "suggestion_median": statistics.median(suggested),
        "holds": first < MOST_FIRST_PAGE and statistics.median(typed[1:]) < MOST_KEYSTROKE,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table, kinds = rows(options.rows, 0)
        write_index(table, Path(folder) / "index", kinds=kinds, label="diagnosis")
        del table
        studio = Studio(Settings(index=Path(folder) / "index", work=Path(folder) / "work"))
        studio.workspace.prepare()
        if studio.index is None:
            raise SystemExit(2)
        found = measure(studio, options.repeats)
    packages = ("monai-unlearn", "starlette", "duckdb", "pyarrow")
    write({"facts": facts(*packages, rows=options.rows), **found}, "studio_speed", options.results)
    print({name: value for name, value in found.items() if not isinstance(value, list)})


if __name__ == "__main__":
    main()
