"""How often is a revision that a protocol qualifies different from what retraining gives, which the protocol never saw?

    python benchmarks/hidden_reference.py phantoms --jobs 16
    python benchmarks/hidden_reference.py odir --jobs 16 --device cuda
    python benchmarks/hidden_reference.py phantoms --patients 120 --cohorts 2 --epochs 1 --size 16   # to try it out

Cohorts are drawn and rehearsed on as `monai-unlearn rehearse` does it. Each counted cohort is then taken in turn: the
protocol is written from the others alone, and its revision is judged by that protocol from predictions without the
retrained networks. These are then uncovered, and say whether it is equivalent or different. The revision is the same in
both cases, since no run stops by retrained networks; for the first cohort a run by the protocol, without a reference,
shows it (`checked`).

- phantoms: the smallest of five stations is retired; the other stations, then patients of one station at a time.
- odir: patients with normal fundus or diabetic retinopathy of ODIR-5K withdraw their consent; of all such patients, or
  of `--keep` many.

A protocol is taken with whatever bound it states (`accepted: stated`), and by the default, 26 % (`accepted: default`).
The claim holds where the share `different` of those qualified is at most the largest bound that their protocols state.
The same runs are judged by further decisions with `--also`: how many patients a class needs, and the margin on forget.
Called again, it goes on where it stopped: finished runs are kept below `--work`.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from benchmark_options import data_folder, parser_of
from results_file import ROOT, facts, write

from monai_unlearn.evaluation.decision import Decision, decide, gather
from monai_unlearn.evaluation.decision.applied_protocol import AppliedProtocol
from monai_unlearn.evaluation.decision.failure_bound import failure_bound
from monai_unlearn.evaluation.decision.protocol import Protocol
from monai_unlearn.evaluation.objective import distance
from monai_unlearn.evaluation.prediction_table import PredictionTable
from monai_unlearn.experiments.draw import given_cohort
from monai_unlearn.experiments.rehearsal_plan import RehearsalPlan
from monai_unlearn.experiments.rehearsal_runs import RehearsalRuns
from monai_unlearn.experiments.rehearse import rehearse
from monai_unlearn.experiments.write_protocol import Rehearsed, protocol_of
from monai_unlearn.index import Index
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from pathlib import Path

    from monai_unlearn.evaluation.decision.outcome import Outcome

BUNDLE = ROOT / "bundles" / "fundus_classifier"
CLASSES = {"phantoms": None, "odir": ["N", "D"]}
HEALTHY = {"phantoms": ["normal"], "odir": ["N"]}
ACCEPTED = (0, 3)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Data and network that are rehearsed with."""

    name: str
    options: argparse.Namespace

    @property
    def work(self) -> Path:
        return self.options.work / self.name

    @property
    def index(self) -> Path:
        return self.work / "index"

    @property
    def config(self) -> Path:
        return self.work / "bundle" / "configs" / "unlearn.yaml"

    @property
    def fixed(self) -> dict[str, str]:
        """The settings of every run, as text: plain values."""
        size, few = self.options.size, self.options.min_patients
        endpoints = [
            {"subset": subset, "measure": measure, "margin": margin, "min_patients": few}
            for subset, measure, margin in (
                ("forget_train", "mean_probability", self.options.forget_margin),
                ("forget_test", "mean_probability", self.options.forget_margin),
                ("remain_test", "mean_probability", self.options.remain_margin),
                ("remain_test", "macro_sensitivity", self.options.remain_margin),
            )
        ]
        classes = CLASSES[self.name]
        return {
            "image_size": f"[{size},{size}]",
            "device": self.options.device,
            "budget": str(self.options.budget),
            "decision::endpoints": json.dumps(endpoints),
            "decision::healthy_classes": json.dumps(HEALTHY[self.name]),
            # Audits judge nothing, and would take a fifth of the time.
            "audits": "[]",
            **({"class_names": json.dumps(classes)} if classes else {}),
        }

    def prepare(self) -> Path:
        """Draw or index the images and train the network, unless that is done; return the spec of the real cohort."""
        self.work.mkdir(parents=True, exist_ok=True)
        if not (self.index / "index.json").is_file():
            self._build_index()
        if not self.config.is_file():
            shutil.copytree(BUNDLE, self.config.parents[1], dirs_exist_ok=True)
        trained = self.work / "trained"
        if not trained.is_file():
            names = ("image_size", "device", "class_names")
            given = [f"--{key}={value}" for key, value in self.fixed.items() if key in names]
            words = ["--config_file", str(self.config.with_name("train.yaml")), "--index_dir", str(self.index)]
            population = ["--cohort_spec", str(self.spec())] if self.name == "odir" else []
            call("monai.bundle", "run", "train", *words, *population, f"--max_epochs={self.options.epochs}", *given)
            trained.write_text("", encoding="utf-8")
        return self.spec()

    def _build_index(self) -> None:
        if self.name == "phantoms":
            studies = self.work / "studies"
            shutil.rmtree(studies, ignore_errors=True)
            call("monai_unlearn", "phantom", "fundus", str(studies), f"--patients={self.options.patients}", "--size=64")
            source, key, label = (studies, studies / "labels.csv"), "SOPInstanceUID", "diagnosis"
        else:
            folder = data_folder(self.options) / "fundus_odir"
            source, key, label = (folder / "images", folder / "metadata.csv"), "filename", "eye_label"
        images, table = map(str, source)
        words = ["--table", table, "--key", key, "--label", label, "--out", str(self.index)]
        patient = ["--patient", "patient_id"] if self.name == "odir" else []
        call("monai_unlearn", "index", "build", images, *words, *patient)

    def spec(self) -> Path:
        """Write the spec of the real cohort: a station, or patients drawn at random."""
        path = self.work / "real.yaml"
        content: dict[str, Any] = {"schema_version": 1, "name": "real"}
        if self.name == "phantoms":
            content |= {"reason": "device_deprecation", "forget": "StationName == SPECTRALIS-03"}
        else:
            content |= {
                "reason": "consent_withdrawal",
                "population": "eye_label in [N, D]",
                "forget": "patient in @withdrawn",
                "value_sets": {"withdrawn": self._withdrawn()},
            }
            if self.options.keep:
                content["population"] += " and patient in @kept"
                content["value_sets"]["kept"] = self._kept()
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return path

    def _kept(self) -> list[str]:
        """Return the patients of ODIR-5K of whom every image is of the two classes, or as many as are kept of them."""
        frame = Index.open(self.index).frame()
        wanted = frame[frame["eye_label"].isin(["N", "D"]) & frame["fault"].isna()]
        whole = frame.groupby("patient")["eye_label"].apply(lambda labels: labels.isin(["N", "D"]).all())
        patients = sorted({str(one) for one in wanted["patient"].dropna() if whole[one]})
        return _drawn(patients, self.options.keep or len(patients))

    def _withdrawn(self) -> list[str]:
        return _drawn(self._kept(), self.options.withdrawn)


def _drawn(values: list[str], count: int) -> list[str]:
    # At random: classes of ODIR-5K follow each other by the numbers of patients.
    return sorted(np.random.default_rng(0).permutation(values)[:count].tolist())


def call(module: str, *words: str) -> int:
    """Run a module as a user does."""
    code = subprocess.run([sys.executable, "-W", "ignore", "-m", module, *words], check=False, cwd=ROOT).returncode
    if code not in ACCEPTED:
        sys.exit(f"{module} {words[0]} ended with {code}")
    return code


def without_references(table: PredictionTable) -> PredictionTable:
    """Return a table in which nobody sees the retrained networks."""
    kept = tuple(one for one in table.networks if one.role != "reference")
    return replace(table, networks=kept, logits={one.name: table.logits[one.name] for one in kept})


def judged(one: Rehearsed, protocol: Protocol, *, accept: float | None) -> Outcome:
    """Judge a revision by a protocol, from its predictions without the retrained networks."""
    applied = AppliedProtocol(protocol=protocol, cohort=one.facts(), accept_bound=accept)
    decision = Decision.from_config(protocol.decision, class_names=one.table.class_names)
    return decide(decision, without_references(one.table), applied)


def left_out(one: Rehearsed, others: list[Rehearsed], method: dict[str, Any], fixed: dict[str, str]) -> dict[str, Any]:
    """Judge a cohort by a protocol of the others, and then by its own retrained networks."""
    protocol = protocol_of(method["name"], method["settings"], counted=others, tuned=[], fixed=fixed)
    stated = judged(one, protocol, accept=max(protocol.rehearsal.bound, 0.0001))
    return {
        "cohort": one.cohort.spec.name,
        "kind": one.cohort.kind,
        "line": protocol.rehearsal.line,
        "bound": protocol.rehearsal.bound,
        "by_protocol": {"stated": stated.verdict.value, "default": judged(one, protocol, accept=None).verdict.value},
        "why": list(stated.why[:2]),
        "by_retrained_networks": one.verdict,
        "why_by_retrained_networks": one.metrics["why"][0],
        "distance": distances(one.table),
    }


def distances(table: PredictionTable) -> dict[str, float | None]:
    """Return how far the original and the revision are from the retrained networks on forget validation images.

    That of each retrained network, against the others, says what is to be expected of one that forgot.
    """
    evidence = gather(table)
    others = [one for one in evidence.references if len(evidence.references) > 1]
    apart = [
        distance(replace(evidence, revised=one, references=tuple(name for name in others if name != one)))
        for one in others
    ]
    return {
        "original": distance(replace(evidence, revised=evidence.original)),
        "revised": distance(evidence),
        "retrained": max(apart, default=None),
    }


def judged_again(one: Rehearsed, min_patients: int, margin: float) -> Rehearsed:
    """Return a finished run as another decision judges it; no revision depends on that.

    Args:
        one: The run.
        min_patients: How many patients a class needs.
        margin: The margin of the endpoints on the forget part.
    """
    declared = {key: value for key, value in one.declared.items() if key != "min_patients"}
    declared["endpoints"] = [
        {**each, "min_patients": min_patients, **({"margin": margin} if each["subset"].startswith("forget") else {})}
        for each in declared["endpoints"]
    ]
    decision = Decision.from_config(declared, class_names=one.table.class_names)
    found = Rehearsed(cohort=one.cohort, run=one.run)
    # In place of what the property would read.
    found.__dict__["metrics"] = {**one.metrics, **decide(decision, one.table).to_metrics()}
    return found


def left_out_in_turn(
    counted: list[Rehearsed], rejected: list[Rehearsed], method: dict[str, Any], fixed: dict[str, str]
) -> dict[str, Any]:
    """Return what protocols of all but one cohort say of that one, and how often they are wrong.

    Beside it, what the protocol of all cohorts says of revisions by settings that the tuning rejected: revisions that
    went wrong, which it must not qualify.
    """
    rows = [left_out(one, [other for other in counted if other is not one], method, fixed) for one in counted]
    whole = protocol_of(method["name"], method["settings"], counted=counted, tuned=[], fixed=fixed)
    return {
        "line": whole.rehearsal.line,
        "accepted": {name: share(rows, name) for name in ("stated", "default")},
        "cohorts": rows,
        "rejected_settings": [left_out(one, counted, method, fixed) for one in rejected],
    }


def checked(bench: Bench, one: Rehearsed, protocol: Protocol) -> bool:
    """Run by the protocol without a reference, unless that is done; return whether predictions are the rehearsal's."""
    out, path = bench.work / "checked", bench.work / "checked.yaml"
    if not path.is_file() or Protocol.read(path) != protocol:
        shutil.rmtree(out, ignore_errors=True)
        protocol.write(path)
    words = ["--index_dir", str(bench.index), "--cohort_spec", str(one.cohort.path), "--output_dir", str(out)]
    words += ["--protocol", str(path), "--device", bench.options.device]
    if not RunFolder(out).predictions.is_file():
        call("monai.bundle", "run", "unlearn", "--config_file", str(bench.config), *words)
    found = PredictionTable.read(RunFolder(out).predictions)
    return bool((found.probabilities("revised").round(4) == one.table.probabilities("revised").round(4)).all())


def share(rows: list[dict[str, Any]], accepted: str) -> dict[str, Any]:
    """Return how many of those qualified are different, beside the largest bound that their protocols state."""
    qualified = [row for row in rows if row["by_protocol"][accepted] == "qualified"]
    different = [row for row in qualified if row["by_retrained_networks"] == "different"]
    bound = max((row["bound"] for row in qualified), default=None)
    found = len(different) / len(qualified) if qualified else None
    return {
        "qualified": len(qualified),
        "equivalent": sum(row["by_retrained_networks"] == "equivalent" for row in qualified),
        "different": len(different),
        "share_different": found,
        # What the count itself shows, whatever the protocols state.
        "upper_95": failure_bound(len(qualified), len(qualified) - len(different)) if qualified else None,
        "largest_stated_bound": bound,
        "holds": None if found is None or bound is None else found <= bound,
    }


def options_given() -> argparse.Namespace:
    parser = parser_of(__doc__, work="hidden_reference", data=True)
    parser.add_argument("name", choices=list(CLASSES))
    for option, value in (("patients", 4000), ("cohorts", 11), ("tune-on", 2), ("trials", 4), ("seeds", 3)):
        parser.add_argument(f"--{option}", type=int, default=value)
    for option, value in (
        ("epochs", 8),
        ("size", 48),
        ("min-patients", 10),
        ("withdrawn", 400),
        ("keep", 0),
        ("jobs", 1),
    ):
        parser.add_argument(f"--{option}", type=int, default=value)
    parser.add_argument("--also", nargs="*", default=[], metavar="PATIENTS:MARGIN", help="judge the runs so, too")
    parser.add_argument("--forget-margin", type=float, default=0.15)
    parser.add_argument("--remain-margin", type=float, default=0.08)
    parser.add_argument("--budget", type=float, default=0.3)
    parser.add_argument("--methods", default="finetune,reset")
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def rehearsed(
    document: Mapping[str, Any], runs: RehearsalRuns, index: Index
) -> tuple[list[Rehearsed], list[Rehearsed]]:
    """Return the runs of the cohorts that count, and those of settings that were tried and not chosen."""
    method, specs = document["methods"][0], runs.out / "specs"
    counted = []
    for described in (one for one in document["cohorts"] if one["role"] == "counted"):
        cohort = replace(given_cohort(specs / f"{described['name']}.yaml", index), kind=described["kind"])
        run = runs.run(cohort, method["name"], method["settings"]).output
        counted.append(Rehearsed(cohort=cohort, run=run))
    rejected = []
    for described in (one for one in document["cohorts"] if one["role"] == "tuned"):
        cohort = given_cohort(specs / f"{described['name']}.yaml", index)
        tried = [one["settings"] for one in method["tried"] if one["settings"] != method["settings"]]
        rejected += [
            Rehearsed(cohort=cohort, run=runs.run(cohort, method["name"], settings).output) for settings in tried
        ]
    return counted, rejected


def main() -> None:
    options = options_given()
    # `timeout` ends the script as Ctrl-C does, so that no run is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.perf_counter()
    bench = Bench(name=options.name, options=options)
    spec = bench.prepare()
    plan = RehearsalPlan(
        config=bench.config,
        index=bench.index,
        specs=[spec],
        draw=options.cohorts,
        tune_on=options.tune_on,
        methods=options.methods.split(","),
        seeds=options.seeds,
        trials=options.trials,
        fixed=bench.fixed,
        jobs=options.jobs,
    )
    out = bench.work / "rehearsal"
    document = rehearse(plan, out, progress=lambda what, done, total: print(f"{what}: {done} of {total}", flush=True))
    index = Index.open(bench.index)
    runs = RehearsalRuns(
        config=plan.config, index=plan.index, index_digest=index.digest, fixed=plan.fixed, seeds=plan.seeds, out=out
    )
    method = document["methods"][0]
    counted, rejected = rehearsed(document, runs, index)
    decisions = [(options.min_patients, options.forget_margin)]
    decisions += [(int(few), float(margin)) for few, _, margin in (one.partition(":") for one in options.also)]
    protocol = protocol_of(method["name"], method["settings"], counted=counted[1:], tuned=[], fixed=bench.fixed)
    settings = {key: value for key, value in vars(options).items() if isinstance(value, (int, float, str))}
    result = {
        "facts": facts("monai-unlearn", "monai", "torch", "optuna"),
        "settings": settings,
        "rehearsal": {key: document[key] for key in ("line", "chosen", "methods", "cohorts", "seconds")},
        "decisions": [
            {
                "min_patients": few,
                "forget_margin": margin,
                **left_out_in_turn(
                    *([judged_again(run, few, margin) for run in found] for found in (counted, rejected)),
                    method,
                    bench.fixed,
                ),
            }
            for few, margin in decisions
        ],
        "checked": checked(bench, counted[0], protocol),
        "seconds": round(time.perf_counter() - started),
    }
    write(result, f"hidden_reference_{options.name}", options.results)
    found = [{key: value for key, value in one.items() if key in ("line", "accepted")} for one in result["decisions"]]
    print(json.dumps({"checked": result["checked"], "decisions": found}, indent=1))


if __name__ == "__main__":
    main()
