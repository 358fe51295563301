"""What do audits show of the original, the retrained and the revised networks?

    python benchmarks/audit_tables.py [--only NAME] [--method psg] [--method reset] [--device cuda]

The cohorts are those of `bundle_tables.py` and `odir_cohorts.py`, whose folders of work are used where they exist:
index, original and retrained networks, and runs that were audited. What is missing is made here, by the bundles' own
commands: index, train, unlearn beside three retrained networks, once for each method. A row is one run; of real data
only counts and figures are kept. Audits that did not fit into a quarter of a run's seconds are listed with the reason.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bundle_tables
import odir_cohorts
from benchmark_options import parser_of
from markdown_tables import table, verdict_of
from results_file import ROOT, facts, read, write

from monai_unlearn.card.audits import figure, headlines, span
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

METHODS = ("psg", "reset")
MEASURED = "measured"
# What the table in the documentation shows of each cohort; the page beside the results shows every headline.
SHOWN = (
    ("auc_loss", "forget_train", "membership, AUC of the loss"),
    ("linear_both", "forget_held_out", "linear probe"),
    ("distance_ratio_equally_sure", "forget_train", "distance ratio on forget images"),
    ("distance_ratio_equally_sure", "remain_test", "distance ratio on remain test images"),
    ("ain_probability", "forget_train", "relearning, AIN"),
    ("tug_of_war", None, "Tug-of-War"),
)


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """A cohort of another benchmark, and where that benchmark keeps its work.

    Attributes:
        name: What `--only` takes.
        data: What tables call data and cohort.
        place: The folder of its original network, and of its runs.
        index: The index.
        spec: The cohort.
        bundle: The bundle.
        runs: The folders of runs that the other benchmark has made, by method.
        settings: Overrides given to every command.
        judged: Further overrides of `unlearn`.
    """

    name: str
    data: str
    place: Path
    checkpoint: Path
    index: Path
    spec: Path
    bundle: str
    runs: dict[str, Path]
    settings: tuple[str, ...] = ()
    judged: tuple[str, ...] = ()


def cohorts(options: argparse.Namespace) -> Iterator[Cohort]:
    """Yield every cohort whose data there are; its index is built if it is missing."""
    work = options.work.resolve()
    for case in bundle_tables.cases(work / "bundle_tables"):
        name = f"{case.bundle}-{'real' if case.real else 'phantom'}"
        place = work / "bundle_tables" / name
        if (case.real and options.data is None) or options.only not in (None, name):
            continue
        place.mkdir(parents=True, exist_ok=True)
        yield Cohort(
            name=name,
            data=case.data,
            place=place,
            checkpoint=place / "original" / "model.pt",
            index=case.index(options.data, place),
            spec=case.spec,
            bundle=case.bundle,
            runs={"psg": place / "revision"},
            settings=case.settings,
        )
    for name, spec in odir_cohorts.COHORTS.items() if options.data is not None else ():
        if options.only in (None, f"odir-{name}"):
            folder = work / "odir"
            folder.mkdir(parents=True, exist_ok=True)
            yield Cohort(
                name=f"odir-{name}",
                data=f"ODIR-5K: {name.replace('_', ' ')}",
                place=folder / name,
                checkpoint=folder / "original" / "model.pt",
                index=odir_cohorts.build_index(options.data.resolve() / "fundus_odir", folder),
                spec=spec,
                bundle="fundus_classifier",
                runs={"psg": folder / name / "psg"},
                settings=tuple(odir_cohorts.SHARED),
                judged=tuple(odir_cohorts.JUDGED),
            )


def audited(cohort: Cohort, method: str, device: str) -> Path:
    """Return the folder of an audited run of a method; what it needs is made where it is missing."""
    for folder in (cohort.runs.get(method), cohort.place / f"audited-{method}"):
        if folder is not None and RunFolder(folder).metrics.is_file() and metrics_of(folder).get("audits"):
            return folder
    configs = bundle_tables.BUNDLES / cohort.bundle / "configs"
    common = ["--index_dir", str(cohort.index), "--checkpoint", str(cohort.checkpoint), "--device", device]
    common += cohort.settings
    if not cohort.checkpoint.is_file():
        bundle_tables.run("monai.bundle", "run", "train", "--config_file", str(configs / "train.yaml"), *common)
    out = cohort.place / f"audited-{method}"
    shutil.rmtree(out, ignore_errors=True)
    unlearn = ["--cohort_spec", str(cohort.spec), "--output_dir", str(out), "--method", method, *cohort.judged]
    unlearn += ["--reference", odir_cohorts.retrained(kept(cohort))]
    bundle_tables.run(
        "monai.bundle", "run", "unlearn", "--config_file", str(configs / "unlearn.yaml"), *common, *unlearn
    )
    return out


def kept(cohort: Cohort) -> Path:
    """Return the folder of retrained networks, which depend on no setting of a revision."""
    folder = cohort.place / "references"
    for run in (*cohort.runs.values(), *(cohort.place / f"audited-{method}" for method in METHODS)):
        if not folder.exists() and RunFolder(run).references():
            shutil.copytree(RunFolder(run).references()[0].parent, folder)
    return folder


def metrics_of(folder: Path) -> dict[str, Any]:
    """Return what a run measured."""
    found: dict[str, Any] = json.loads(RunFolder(folder).metrics.read_text(encoding="utf-8"))
    return found


def row_of(cohort: Cohort, method: str, metrics: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept of a run: its headlines, what each audit counted, and what was not measured."""
    return {
        "name": cohort.name,
        "data": cohort.data,
        "bundle": cohort.bundle,
        "method": method,
        "verdict": metrics["verdict"],
        "counts": metrics["counts"],
        "retrained": metrics["decision"]["references"],
        "headlines": [{"audit": audit, **row} for audit, row in headlines(metrics["audits"])],
        "counted": {name: audit["facts"] for name, audit in metrics["audits"].items()},
        "not_measured": {
            name: audit["why"] for name, audit in metrics["audits"].items() if audit["status"] != MEASURED
        },
        "cost": metrics["cost"]["audits"],
    }


def audit_table(rows: list[dict[str, Any]], *, shown: tuple[Any, ...] = SHOWN) -> list[str]:
    """Return the lines of a table: of each cohort every measure, with a column for the revised network of each method.

    Args:
        rows: What was measured.
        shown: Measure, subset and title of each line; empty for every headline.
    """
    cells: list[list[str]] = []
    methods = list(dict.fromkeys(row["method"] for row in rows))
    for name in dict.fromkeys(row["name"] for row in rows):
        of_cohort = {row["method"]: row for row in rows if row["name"] == name}
        found = {method: {_key(one): one for one in row["headlines"]} for method, row in of_cohort.items()}
        plan = shown or [(*key, " ".join(filter(None, key)).replace("_", " ")) for key in next(iter(found.values()))]
        title = next(iter(of_cohort.values()))["data"]
        for measure, subset, label in plan:
            lines = {method: one.get((measure, subset)) for method, one in found.items()}
            any_line = next((line for line in lines.values() if line), None)
            if any_line is None:
                continue
            revised = [_figure(lines.get(method)) for method in methods]
            original = figure(any_line["original"], any_line["unit"])
            cells.append([title, label, original, span(any_line), *revised])
            title = ""
        verdicts = [verdict_of(of_cohort[one]) if one in of_cohort else "–" for one in methods]
        cells.append([title, "verdict", "", "", *verdicts])
    heads = ["cohort", "audit", "original", "retrained, each against the others", *(f"revised by {m}" for m in methods)]
    return table(heads, cells, numbers=range(2, len(heads)))


def _key(line: dict[str, Any]) -> tuple[str, str | None]:
    return line["measure"], line["subset"]


def _figure(line: dict[str, Any] | None) -> str:
    return "–" if line is None else figure(line["revised"], line["unit"])


def to_markdown(document: dict[str, Any]) -> str:
    """Return the page of every headline, and what was not measured."""
    source = (
        "Made by `benchmarks/audit_tables.py`, one seed. In brackets 95 % intervals, patients as units; *retrained* is "
        "the range of the retrained networks' own values."
    )
    rows = document["rows"]
    missing = [
        f"- {row['data']}, {row['method']}, {name}: {why}" for row in rows for name, why in row["not_measured"].items()
    ]
    lines = ["# Audits: original, retrained, revised", "", source, "", *audit_table(rows, shown=()), ""]
    return "\n".join([*lines, *(["Not measured:", "", *missing, ""] if missing else [])])


def main() -> None:
    parser = parser_of(__doc__, data=True)
    parser.add_argument("--work", type=Path, default=ROOT / "build", help="where the other benchmarks keep theirs")
    parser.add_argument(
        "--only", help="only this cohort, such as fundus_classifier-phantom; the others keep their rows"
    )
    parser.add_argument("--method", action="append", help="psg and reset by default")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    path = options.results / "audit_tables.json"
    rows = read("audit_tables", options.results)["rows"] if path.exists() else []
    found = {(row["name"], row["method"]): row for row in rows}
    for cohort in cohorts(options):
        for method in options.method or METHODS:
            about = facts(
                "monai-unlearn", "monai", "torch", device=options.device, seeds=1, not_measured="spread over seeds"
            )
            row = row_of(cohort, method, metrics_of(audited(cohort, method, options.device)))
            found[cohort.name, method] = {**row, "facts": about}
            write({"rows": list(found.values())}, "audit_tables", options.results)
    document = read("audit_tables", options.results)
    path.with_suffix(".md").write_text(to_markdown(document), encoding="utf-8")
    print(to_markdown(document))


if __name__ == "__main__":
    main()
