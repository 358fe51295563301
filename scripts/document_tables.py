"""The tables of README, docs and bundles that show measured figures."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

import audit_pages
import candidate_tables
import case_tables
import comparison_tables
import default_tables
import hidden_tables
import measured
import method_tables
import predictor_tables
import results_file
import sequence_tables
import verdict_tables
from markdown_tables import percent, table
from measured import MILLION, odir, result

if TYPE_CHECKING:
    from collections.abc import Callable


NOT = "not measured"
COHORT_TITLES = {"truncated": "truncated field of view", "quarter": "a quarter of one class"}
TASK_TITLES = {
    "brain_mri_longer": "brain MRI, 20 epochs",
    "brain_mri": "brain MRI, 8 epochs",
    "cifar10": "CIFAR-10",
}


def odir_models() -> list[str]:
    """Return README's table of three ODIR cohorts: the default beside methods that were tuned equally."""
    titles = [result(f"comparison_final_{name}")["title"] for name in measured.README_COHORTS]
    found = {one["title"]: one for one in measured.seeded()}
    methods = ("default", "reset", "shrink_perturb", "finetune", "psg")
    return comparison_tables.side_by_side(
        [found[one] for one in titles], methods=methods, budget=measured.README_BUDGET
    )


def recalibration() -> list[str]:
    """Return what boundary_shrink forgets, before and after recalibration."""
    cells = []
    for cohort, title in COHORT_TITLES.items():
        models = odir(cohort)
        names = ("original", "boundary_shrink", "boundary_shrink_recalibrated")
        figures = [models[name]["forget_train"].mean for name in names]
        cells.append([f"ODIR-5K, {title}, forget train", *(f"{figure:.1f}" for figure in figures)])
    for task, title in TASK_TITLES.items():
        for wanted, rows in result("psg_quality")["tasks"][task]["classes"].items():
            if "boundary_shrink" in rows:
                shrunk = rows["boundary_shrink"]
                figures = [rows["original"]["forget"][0], shrunk["as_is"][0][0], shrunk["forget"][0]]
                cells.append([f"{title}, {wanted}, forget test", *(f"{figure:.1f}" for figure in figures)])
    heads = ["accuracy on forgotten images in %", "original", "boundary_shrink", "the same weights, recalibrated"]
    return table(heads, cells, numbers=(1, 2, 3))


def million_rows() -> list[str]:
    """Return the time that each spec takes on a million rows, beside pandas."""
    cells = []
    for name, row in result("cohort_million_rows")["resolve"].items():
        pandas = f"{row['pandas_seconds']:.2f} s" if "pandas_seconds" in row else ""
        cells.append([name, f"{row['median']:.2f} s", pandas, f"{row['images']['forget']:,}"])
    return table(["spec", "resolved in", "the same counts by pandas", "images to forget"], cells, numbers=(1, 2, 3))


def million_rows_processes() -> list[str]:
    """Return what parts and previews of a million rows take in processes of their own."""
    cells = []
    for name, row in result("cohort_million_rows")["processes"]["specs"].items():
        steps = row["python"]
        seconds = [f"{steps[step]['processor_seconds']:.2f} s" for step in ("resolve", "forget", "freeze", "remain")]
        preview = f"{statistics.median(row['preview_processor_seconds']):.2f} s"
        cells.append([name, preview, *seconds, f"{steps['forget']['peak_mb']:.0f} MB"])
    heads = [
        "spec",
        "`cohort preview`",
        "resolve",
        "`Cohort.forget`",
        "freeze",
        "`Cohort.remain`",
        "memory up to forget",
    ]
    return table(heads, cells, numbers=range(1, 7))


_FROZEN = (("megabytes_per_million", 2, "MB"), ("freeze_seconds", 1, "s"), ("read_seconds", 1, "s"))


def frozen_sizes() -> list[str]:
    """Return how large the members of a million images are, by the form of their identifiers."""
    cells = [
        [
            name,
            f"{row['megabytes_per_million']:.2f} MB",
            f"{row['freeze_seconds']:.1f} s",
            f"{row['read_seconds']:.1f} s",
        ]
        for name, row in result("frozen_cohort")["forms"].items()
    ]
    return table(["identifiers", "members of a million", "freeze", "read"], cells, numbers=(1, 2, 3))


def clinician_specs() -> list[str]:
    """Return how many series of IDC each spec sorts into each part; pandas finds the same."""
    cells = []
    for name, row in result("clinician_specs")["specs"].items():
        images = row["images"]
        link = f"[{name}](../cohort_specs/idc/{name}.yaml)"
        cells.append([link, *(f"{images[part]:,}" for part in ("forget", "remain", "undetermined"))])
    return table(["spec", "forget", "remain", "undetermined"], cells, numbers=(1, 2, 3))


def index_speed() -> list[str]:
    """Return how fast a build reads, by the size of the files."""
    cells = []
    for name, size in result("index_speed")["sizes"].items():
        speeds = [f"{size[key]:,.0f}" for key in ("loop_files_a_second", "files_a_second")]
        ratios = [f"{size[key]:.1f}" for key in ("times_the_loop", "two_by_clock")]
        start = f"{size['start_processor_seconds']:.2f} s"
        cells.append([f"{size['files']:,} of {name}", *speeds, *ratios, start, f"{size['peak_mb']} MB"])
    heads = ["files", "loop, files/s", "build, files/s", "times the loop", "two processes", "ten files", "most memory"]
    return table(heads, cells, numbers=range(1, len(heads)))


def index_scale() -> list[str]:
    """Return what a build costs by its size."""
    how = {"real": "real files", "synthesised": "synthesised rows, without listing and reading"}
    cells = []
    for row in result("index_scale")["rows"]:
        seconds, megabytes, scale = row["first"]["processor_seconds"], row["bytes"] / 1e6, MILLION / row["rows"]
        size = f"{megabytes:.1f} MB" if megabytes < 10 else f"{megabytes:.0f} MB"
        figures = [f"{seconds:.1f}", f"{seconds * scale:.0f} s", size, f"{megabytes * scale:.0f} MB"]
        cells.append([f"{row['rows']:,}", how[row["how"]], *figures, f"{row['first']['peak_mb']:.0f} MB"])
    heads = ["rows", "how", "processor seconds", "per million", "index on disk", "per million", "most memory"]
    return table(heads, cells)


def images_beyond_memory() -> list[str]:
    """Return how much memory images take by where they are held."""
    cells = []
    for row in result("images_beyond_memory")["memory"]:
        where = "disk" if row["memory"] == "0" else "memory"
        cells.append(
            [f"{row['images']:,}", where, *(f"{row[name]:,} MB" for name in ("pixels_mb", "grown_mb", "items_mb"))]
        )
    return table(["images of 64 px", "held in", "pixels", "memory grown by", "of it for tables and items"], cells)


def psg_quality() -> list[str]:
    """Return forget and remain test accuracy of each class, at a tenth of retraining's gradients."""
    names = ("psg 10% all", "finetune 10% all rate 1.00", "retrained", "original")
    cells = []
    for task, title in TASK_TITLES.items():
        for wanted, rows in result("psg_quality")["tasks"][task]["classes"].items():
            means = [[f"{statistics.mean(rows[name][part]):.1f}" for part in ("forget", "remain")] for name in names]
            cells.append([f"{title}: {wanted}", len(rows["seeds"]), *map(" / ".join, means)])
    heads = ["forgotten", "seeds", "PSG", "fine-tuning, rate 1.00", "retrained", "original"]
    return table(heads, cells, numbers=range(1, 6))


def psg_sums() -> list[str]:
    """Return the sums of gaps by task, remain images and budget."""
    cells = []
    for task, title in TASK_TITLES.items():
        classes = result("psg_quality")["tasks"][task]["classes"]
        for kept, images in (("all", "all"), ("few", "5 %")):
            having = sum(f"psg 10% {kept}" in rows for rows in classes.values())
            for budget in (0.05, 0.10):
                gaps = measured.sums_of_gaps(classes, budget, kept)
                cells.append([title, having, images, f"{100 * budget:.0f} %", *(f"{gap:.1f}" for gap in gaps)])
    rates = ["fine-tuning, rate 0.67", "rate 1.00", "better rate"]
    return table(["task", "classes", "remain images", "gradients", "PSG", *rates], cells, numbers=range(1, 8))


def psg_speed() -> list[str]:
    """Return processor seconds of a run by the sizes of both parts."""
    rows = result("psg_speed")["growth"]
    cells = [[row["forget"], f"{row['remain']:,}", row["updates"], f"{row['processor']:.2f}"] for row in rows]
    return table(["forget images", "remain images", "images in updates", "processor seconds"], cells, numbers=range(4))


def case(name: str) -> list[str]:
    """Return the networks of a case by class, with the verdicts."""
    return case_tables.by_class(result(f"verdicts_{name}"))


def mri_classes() -> list[str]:
    """Return accuracy on real test slices, in all and by class."""
    test = result("mri_training")["accuracy"]["test"]
    subsets: dict[str, dict[str, Any]] = {"all classes": test, **test["classes"]}
    cells = [[name, subset["n"], percent(subset["accuracy"])] for name, subset in subsets.items()]
    return table(["real test slices", "n", "accuracy in %"], cells, numbers=(1, 2))


def predictor_results() -> dict[str, Any]:
    """Return what was measured of predictors, by set of images."""
    files = {name: f"predictor_errors_{name}" for name in predictor_tables.SETS}
    return {
        name: result(file) for name, file in files.items() if (measured.results_file.RESULTS / f"{file}.json").is_file()
    }


SUITS = {
    "class": "a whole class",
    "part_of_class": "part of a class",
    "device": "a device",
    "patients": "patients",
    "labels": "wrong labels",
}


def methods() -> list[str]:
    """Return every registered method with what it needs, suits and costs, from its record."""
    from monai_unlearn.methods import registered  # loads torch, which the other tables can do without

    cells = [
        [
            f"`{name}`",
            info.equations,
            info.paper,
            ", ".join(info.needs) or "nothing",
            "any" if set(info.suits) == set(SUITS) else ", ".join(SUITS[one] for one in info.suits) or "a control",
            info.cost,
            info.batch_norm,
        ]
        for name, (info, _) in sorted(registered().items())
    ]
    return table(["name", "what it does", "source", "needs", "suits", "cost", "BatchNorm"], cells, numbers=())


def defaults() -> list[str]:
    """Return the default method of each kind of cohort, why, and how near to retrained networks it came."""
    from monai_unlearn.methods.default_method import DEFAULTS  # loads torch, which the other tables can do without

    reached = default_tables.reached_by_kind(measured.seeded())
    cells = [
        [SUITS[kind], default.words, default.why, "; ".join(reached.get(kind, ())) or NOT]
        for kind, default in DEFAULTS.items()
    ]
    return table(["cohort", "default", "why", "distance to retraining at 10 / 20 %"], cells, numbers=())


def reset_depth() -> list[str]:
    """Return how near a reset of each depth comes to retrained networks, by cohort, and what was chosen."""
    cohorts = result("reset_depth")["cohorts"]
    depths = list(next(iter(cohorts.values()))["depths"])
    cells = [
        [
            name.replace("_", " "),
            ", ".join(str(one["depth"]) for one in cohort["choices"]),
            percent(cohort["retrained"]["forget_train"], 0),
            *(
                f"{cohort['depths'][depth]['forget_train']['distance']:.2f} · "
                + percent(cohort["depths"][depth]["forget_train"]["recall"], 0)
                for depth in depths
            ),
        ]
        for name, cohort in cohorts.items()
    ]
    header = ["cohort", "chosen", "retrained", *(depth.replace("_", " ") for depth in depths)]
    return table(header, cells, numbers=range(2, len(header)))


def default_candidates() -> list[dict[str, Any]]:
    """Return the results of `default_candidates.py`, by cohort."""
    paths = results_file.RESULTS.glob("default_candidates_*.json")
    return sorted((result(path.stem) for path in paths), key=lambda one: one["title"])


TABLES: dict[str, Callable[[], list[str]]] = {
    "odir_models": odir_models,
    "odir_truncated_field": lambda: case("odir_truncated_field"),
    "odir_quarter_of_one_class": lambda: case("odir_quarter_of_one_class"),
    "recalibration": recalibration,
    "methods": methods,
    "methods_ran": lambda: method_tables.runs(result("every_method")),
    "psg_labellers": lambda: method_tables.labellers(result("psg_ablation")),
    "psg_grid": lambda: method_tables.grid(result("psg_ablation")),
    "comparison_screen": lambda: comparison_tables.screen(measured.comparisons("screen")),
    "comparison_final": lambda: comparison_tables.final(measured.comparisons("final")),
    "comparison_bar": lambda: default_tables.bar(measured.seeded()),
    "comparison_seeds": lambda: default_tables.seeds(measured.seeded()),
    "comparison_grid": lambda: comparison_tables.grid(measured.comparisons("final")),
    "default_candidates": lambda: candidate_tables.candidates(default_candidates()),
    "defaults": defaults,
    "reset_depth": reset_depth,
    "million_rows": million_rows,
    "million_rows_processes": million_rows_processes,
    "frozen_sizes": frozen_sizes,
    "clinician_specs": clinician_specs,
    "index_scale": index_scale,
    "index_speed": index_speed,
    "images_beyond_memory": images_beyond_memory,
    "hidden_reference": lambda: hidden_tables.hidden(
        {name: result(f"hidden_reference_{name}") for name in hidden_tables.SETS}
    ),
    "sequence_ends": lambda: sequence_tables.ends(result("forget_sequence")),
    "sequence_returns": lambda: sequence_tables.returns(result("forget_sequence")),
    "sequence_costs": lambda: sequence_tables.costs(result("forget_sequence")),
    "predictor_errors": lambda: predictor_tables.errors(predictor_results()),
    "predictor_aucs": lambda: predictor_tables.aucs(predictor_results()),
    "psg_quality": psg_quality,
    "psg_sums": psg_sums,
    "psg_speed": psg_speed,
    "mri_classes": mri_classes,
    "audits": lambda: audit_pages.audit_table(result("audit_tables")["rows"], shown=audit_pages.SHOWN),
    "verdict_errors": lambda: verdict_tables.errors(result("verdict_calibration")),
    "verdict_labels": lambda: verdict_tables.labels(result("label_calibration")),
    "verdict_power": lambda: verdict_tables.power(result("verdict_calibration")),
    "leave_one_out": lambda: verdict_tables.leave_one_out(result("leave_one_out")),
    "verdict_truths": lambda: verdict_tables.truths(result("verdict_calibration")),
    "fundus_camera": lambda: case("fundus_camera"),
    "mri_scanner": lambda: case("mri_scanner"),
    "oculoplastic_fissure": lambda: case("oculoplastic_fissure"),
}
