"""How far is each predictor of retraining off, and does what it qualifies deserve it?

    python benchmarks/predictor_errors.py                                   # fundus phantoms
    python benchmarks/predictor_errors.py --set odir --data FOLDER          # ODIR-5K photographs
    python benchmarks/predictor_errors.py --set odir --only device-truncated --data FOLDER
    python benchmarks/predictor_errors.py --patients 160 --epochs 2 --only consent-0  # to try it out

Cohorts of three kinds are forgotten by retraining under three seeds: a retired device, withdrawn consents (3 % of the
patients, drawn by a seed), a quarter of one class. Beside the retrained networks stand the predictors for that kind,
in an ordinary run of the bundle, and their error per class is what that run measured. Then each network is judged by
the predictor alone, as if it were the revised one: the original, unchanged, which must never be qualified; and each
retrained one, which should be, where the error allows it. Errors of a predictor are the largest over the other cohorts
of its kind, as a rehearsal would have measured them; with a single cohort, its own. Networks that were trained before
are used again where they lie in the folder of intermediate files: `SET/original/model.pt`, `SET/references/COHORT/`.

In ODIR-5K, `fov_style_inferred` was inferred from pixels: a proxy for camera or site, never a device tag.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from benchmark_options import data_folder, parser_of
from demo_cohorts import command, index_of
from results_file import ROOT, facts, write

from monai_unlearn.evaluation import PredictionTable
from monai_unlearn.evaluation.decision import Decision, decide
from monai_unlearn.evaluation.decision.matched_losses import MatchedLosses
from monai_unlearn.evaluation.predictors import CohortShape, registered
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from monai_unlearn.evaluation.decision.target import PredictedTarget

NAME = "predictor_errors"
CLASSES = ["N", "D", "G", "C", "A", "M"]
BUNDLE = "fundus_classifier"
CONFIGS = ROOT / "bundles" / BUNDLE / "configs"
PREDICTORS = {
    "device": ("half_width", "last_blocks"),
    "consent": ("never_trained",),
    "part": ("shifted_odds",),
}
REASONS = {"device": "device_deprecation", "consent": "consent_withdrawal", "part": "other"}
DRAWN = "sample: {{fraction: {share}, by: patient, seed: {seed}}}"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A cohort: its kind, and its rule with what else its spec says."""

    name: str
    kind: str
    rule: str
    more: str = ""


def drawn(share: float, seed: int) -> str:
    return DRAWN.format(share=share, seed=seed)


PHANTOM = (
    Case(name="device-before-overhaul", kind="device", rule="device == Cirrus 800 FA and acquired < 2017-07-01"),
    Case(name="device-cirrus-early", kind="device", rule="device == Cirrus 800 FA and acquired < 2016-07-01"),
    Case(name="device-spectralis-late", kind="device", rule="device == Spectralis and acquired >= 2017-07-01"),
    *(Case(name=f"consent-{i}", kind="consent", rule="exists(patient)", more=drawn(0.07, i)) for i in range(3)),
    *(
        Case(name=f"part-{name.replace('_', '-')}", kind="part", rule=f"diagnosis == {name}", more=drawn(0.25, 0))
        for name in ("glaucoma", "diabetic_retinopathy", "normal")
    ),
)
POPULATION = f"population: eye_label in [{', '.join(CLASSES)}]"
ODIR = (
    Case(name="device-truncated", kind="device", rule="fov_style_inferred == truncated"),
    Case(
        name="device-half-truncated",
        kind="device",
        rule="fov_style_inferred == truncated",
        more="sample: {fraction: 0.5, by: patient, seed: 0}",
    ),
    *(Case(name=f"consent-{i}", kind="consent", rule="exists(patient)", more=drawn(0.05, i)) for i in range(3)),
    *(
        Case(name=f"part-{name.lower()}", kind="part", rule=f"eye_label == {name}", more=drawn(0.25, 0))
        for name in "DNC"
    ),
)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where a set's cohorts are measured, and with which settings of the bundle."""

    index: Path
    work: Path
    cases: tuple[Case, ...]
    population: str
    shared: tuple[str, ...]
    healthy: str

    def spec(self, case: Case) -> Path:
        path = self.work / f"{case.name}.yaml"
        lines = ["schema_version: 1", f"name: {case.name}", f"reason: {REASONS[case.kind]}", self.population]
        lines += [f"forget: {case.rule}", case.more, "scope: patient" if case.kind == "consent" else ""]
        path.write_text("\n".join(line for line in lines if line) + "\n", encoding="utf-8")
        return path


def setting_of(options: argparse.Namespace) -> Setting:
    work = options.work / options.set
    work.mkdir(parents=True, exist_ok=True)
    shared = ["--device", options.device]
    if options.set == "odir":
        shared += ["--class_names", str(CLASSES), "--image_size", "[64, 64]"]
        index = work / "index"
        if not index.exists():
            folder = data_folder(options) / "fundus_odir"
            table = ("--table", str(folder / "metadata.csv"), "--key", "filename", "--label", "eye_label")
            command("index", "build", str(folder / "images"), "--out", str(index), *table)
        return Setting(index=index, work=work, cases=ODIR, population=POPULATION, shared=tuple(shared), healthy="['N']")
    # More test patients than by default: a class of a cohort needs 30.
    shared += ["--split", "{'seed': 0, 'test_fraction': 0.3, 'validation_fraction': 0.1}"]
    index = index_of(BUNDLE, options.patients, work)
    return Setting(index=index, work=work, cases=PHANTOM, population="", shared=tuple(shared), healthy="['normal']")


def bundle_run(run_id: str, *arguments: str) -> None:
    """Run the bundle as a user does; 0 and 3 (not promoted) are results, anything else raises."""
    config = str(CONFIGS / f"{run_id}.yaml")
    words = [sys.executable, "-W", "ignore", "-m", "monai.bundle", "run", run_id, "--config_file", config]
    environment = {"OMP_NUM_THREADS": "1", **os.environ}
    done = subprocess.run([*words, *arguments], check=False, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode not in (0, 3):
        raise RuntimeError(f"{run_id} ended with {done.returncode}\n{done.stderr[-3000:]}")


def kept(setting: Setting, case: Case) -> str:
    """Return the references of a cohort that an earlier run kept, or `retrain` where there are none."""
    files = sorted(str(path) for path in (setting.work / "references" / case.name).glob("seed-*/model.pt"))
    return json.dumps(files) if files else "retrain"


def costs(cost: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what all proxies of a run took, as a share of retraining once; None without proxies."""
    if not cost.get("proxies"):
        return None
    spent = cost["with_predictor"]["gradient_evaluations"] - cost["this_run"]["gradient_evaluations"]
    return {"networks": cost["proxies"], "share_of_retraining": spent / cost["gradient_evaluations"]["retraining"]}


def run_case(setting: Setting, case: Case, original: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Retrain, predict, and revise once; return what the run measured."""
    out, started = setting.work / case.name, time.perf_counter()
    if not out.exists():
        bundle_run(
            "unlearn",
            *("--index_dir", str(setting.index), "--cohort_spec", str(setting.spec(case)), *setting.shared),
            # The run is for what its other networks predict: its own revision is as short as one can be.
            *("--checkpoint", str(original), "--output_dir", str(out), "--method", "finetune", "--budget", "0.001"),
            *("--reference", kept(setting, case), "--reference_seeds", str(options.seeds)),
            *("--predictor", json.dumps([one for one in PREDICTORS[case.kind] if one in options.predictors])),
            *("--decision::healthy_classes", setting.healthy),
        )
    metrics = json.loads(RunFolder(out).metrics.read_text(encoding="utf-8"))
    return {
        "name": case.name,
        "kind": case.kind,
        "forget": case.rule,
        "counts": metrics["counts"],
        "predicted": metrics.get("predicted", {}),
        "proxies": costs(metrics["cost"]),
        "seconds": round(time.perf_counter() - started),
    }


def errors_of(predictor: str, case: Mapping[str, Any], found: list[dict[str, Any]]) -> dict[tuple[str, str], float]:
    """Return the largest errors over the other cohorts of a kind; with a single cohort, its own."""
    alike = [one for one in found if one["kind"] == case["kind"]]
    others = [one for one in alike if one["name"] != case["name"]] or alike
    largest: dict[tuple[str, str], float] = {}
    for one in others:
        for row in one["predicted"].get(predictor, []):
            key = (row["subset"], row["class"])
            largest[key] = max(largest.get(key, 0.0), row["error"])
    return largest


def target_of(predictor: str, case: Mapping[str, Any], table: PredictionTable, found: list[Any]) -> PredictedTarget:
    train = table.frame[table.frame["split"] == "train"]
    counts = {part: train[train["part"] == part]["label"].value_counts().to_dict() for part in ("forget", "remain")}
    kind, drawn_at_random = case["kind"], case["kind"] == "part"
    shape = CohortShape(
        reason=REASONS[kind], forget=counts["forget"], remain=counts["remain"], is_sample=drawn_at_random
    )
    others = [one for one in found if one["kind"] == kind and one["name"] != case["name"]]
    return registered()[predictor].target(shape, cohorts=max(len(others), 1), errors=errors_of(predictor, case, found))


def judged_alone(setting: Setting, case: dict[str, Any], found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Judge each network by a predictor alone, as if it were the revised one."""
    run = RunFolder(setting.work / case["name"])
    table = PredictionTable.read(run.predictions)
    declared = json.loads(run.metrics.read_text(encoding="utf-8"))["decision"]["declared"]
    decision = Decision.from_config(declared, class_names=table.class_names)
    for predictor in case["predicted"]:
        target = target_of(predictor, case, table, found)
        for network in ("original", *table.named("reference")):
            kept = tuple(one for one in table.networks if one.role in ("original", "revised", "proxy"))
            logits = {one.name: table.logits[one.name] for one in kept} | {"revised": table.logits[network]}
            outcome = decide(decision, replace(table, networks=kept, logits=logits), target=target)
            yield {
                "predictor": predictor,
                "network": network,
                "verdict": outcome.verdict.value,
                "why": list(outcome.why)[:3],
            }


def aucs(setting: Setting, case: Mapping[str, Any]) -> dict[str, Any]:
    """Return how well losses tell forget training images from never-trained ones: the test of `never_trained`.

    Of each network its AUC, interval and excess spread, against never-trained images of the forget part alone and of
    both parts. For a device it is no test, as retrained networks show.
    """
    table = PredictionTable.read(RunFolder(setting.work / case["name"]).predictions)
    found = {}
    for parts in (("forget",), ("forget", "remain")):
        losses = MatchedLosses.of(table, parts)
        rows = {}
        for network in ("original", *table.named("reference")):
            if losses.fault(network) is None:
                one = losses.auc(network)
                shown = {"auc": one.value, "interval": list(one.interval()), "excess_spread": one.excess_spread}
                rows[network] = {**shown, "patients": one.patients}
        found["+".join(parts)] = rows
    return found


def main() -> None:
    parser = parser_of(__doc__, work=NAME, data=True)
    parser.add_argument("--set", choices=("phantom", "odir"), default="phantom")
    parser.add_argument("--patients", type=int, default=1600, help="of phantoms")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--predictors", nargs="+", choices=tuple(registered()), default=tuple(registered()))
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--note", help="what else a reader must know of the networks")
    parser.add_argument("--only", nargs="+", help="names of cohorts")
    options = parser.parse_args()
    started = time.perf_counter()
    setting = setting_of(options)
    cases = [case for case in setting.cases if not options.only or case.name in options.only]
    original = setting.work / "original" / "model.pt"
    if not original.is_file():
        spec = ("--cohort_spec", str(setting.spec(setting.cases[0])), "--index_dir", str(setting.index))
        bundle_run("train", *spec, *setting.shared, "--checkpoint", str(original), "--max_epochs", str(options.epochs))
    with ThreadPoolExecutor(options.jobs) as pool:
        running = [pool.submit(run_case, setting, case, original, options) for case in cases]
    found = []
    for case, one in zip(cases, running, strict=True):
        if error := one.exception():
            print(f"{case.name} failed: {error}", flush=True)  # the others are worth having
        else:
            found.append(one.result())
    for case in found:
        case |= {"judged": list(judged_alone(setting, case, found)), "aucs": aucs(setting, case)}
        print(case["name"], case["seconds"], "s")
        for name, rows in case["predicted"].items():
            print("  ", name, {f"{row['subset']} {row['class']}": round(100 * row["error"], 1) for row in rows})
        for row in case["judged"]:
            print("  ", row["predictor"], row["network"], row["verdict"], *row["why"][:1])
        print(
            "  ",
            {parts: {name: round(one["auc"], 3) for name, one in rows.items()} for parts, rows in case["aucs"].items()},
        )
    document = {
        "facts": facts("monai-unlearn", "monai", "torch", set=options.set, device=options.device, note=options.note),
        "patients": options.patients if options.set == "phantom" else None,
        "epochs": options.epochs,
        "seeds": options.seeds,
        "cases": found,
        "seconds": round(time.perf_counter() - started),
    }
    write(document, f"{NAME}_{options.set}", options.results)


if __name__ == "__main__":
    main()
