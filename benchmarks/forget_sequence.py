"""Three cohorts forgotten one after the other, against one retraining without all three: what is left, what comes back?

    OMP_NUM_THREADS=1 python benchmarks/forget_sequence.py
    OMP_NUM_THREADS=1 python benchmarks/forget_sequence.py --method default --seed 0    # to try it out

A bundle forgets the images of a station that nobody read, then a class, then patients who withdrew: each time by
`run unlearn` of the bundle that the revision before wrote, as a hospital would, whatever its verdict was. Its lineage
keeps what was forgotten out of every later step. Beside the default method, which chooses for itself by the reason of
each cohort, stand fine-tuning for the same budget and PSG for twice as much, from three originals under seeds of their
own.

After each step, networks retrained from scratch without all cohorts so far (three seeds) say what should be left. At
the end they are the networks that were retrained once without all three. Also against these: one *joint* revision of
the original that forgets all three at once, for the cost of one step and for that of three; and the same three steps
*without lineage*, from the weights of the revised bundle alone, so that later steps train on the earlier cohorts again.

The images are phantoms of 32 pixels, and networks small: what holds here need not hold elsewhere. What is measured
already is kept, so that a benchmark that was stopped goes on.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
import warnings
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from benchmark_options import parser_of
from demo_cohorts import Candidate
from forked_runs import WRITTEN, Case, ForkedRuns
from results_file import facts, write
from sequence_measures import forgotten_by, measured, with_revised

from monai_unlearn.evaluation import PredictionTable
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

NAME = "forget_sequence"
BUNDLE = "fundus_classifier"
REFERENCES = (1, 2, 3)
ORIGINALS = (0, 10, 20)
BUDGET = 0.1
METHODS: dict[str, dict[str, Any]] = {
    "default": {"budget": BUDGET},
    "finetune": {"method": "finetune", "budget": BUDGET},
    # Its search of a whole class takes a tenth of retraining alone, so that a run within it is refused.
    "psg": {"method": "psg", "budget": 2 * BUDGET},
}
CLOSER = "default"
"""The method that also forgets all cohorts for the cost of one step, and takes the steps without lineage."""


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """A cohort of the sequence: what is forgotten, and why."""

    forget: str
    reason: str

    def write(self, path: Path) -> Path:
        """Write its spec."""
        head = f"schema_version: 1\nname: {path.stem}\nreason: {self.reason}\n"
        path.write_text(f"{head}forget: {self.forget}\n", encoding="utf-8")
        return path


COHORTS = {
    "station": Cohort(forget="station == CIRRUS-02", reason="label_error"),
    "class": Cohort(forget="diagnosis == glaucoma", reason="policy_change"),
    "patients": Cohort(forget="patient matches /[27]$/", reason="consent_withdrawal"),
}
STEPS = tuple(COHORTS)


def candidate(steps: int) -> Candidate:
    """Return the first cohorts of the sequence as one."""
    return Candidate(
        patients=1200,
        forget=" or ".join(f"({COHORTS[name].forget})" for name in STEPS[:steps]),
        epochs=30,
        drawn="--eyes 1 --size 64 --unread CIRRUS-02",
        settings={"image_size": [32, 32], "split::test_fraction": 0.4},
        reason="other",
    )


class Sequence:
    """The revisions of every method and original, and the networks that they are compared with."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.stages = {
            steps: ForkedRuns(
                Case(bundle=BUNDLE, candidate=candidate(steps)), work / f"without-{steps}", seeds=REFERENCES
            )
            for steps in range(1, len(STEPS) + 1)
        }
        self.specs = {name: cohort.write(work / f"{name}.yaml") for name, cohort in COHORTS.items()}

    @property
    def last(self) -> ForkedRuns:
        """The runs on all cohorts as one."""
        return self.stages[len(STEPS)]

    def train(self, originals: tuple[int, ...]) -> None:
        """Train originals, and the retrained networks of each stage, unless an earlier run did."""
        for seed in originals:
            self.last.fit(seed)
        for runs in self.stages.values():
            for seed in REFERENCES:
                runs.fit(seed, parts=["remain"])

    def retrained(self) -> dict[str, int]:
        """Return the gradient evaluations of one retraining after each step."""
        records = {name: self.stages[number].checkpoint(REFERENCES[0]) for number, name in enumerate(STEPS, 1)}
        return {
            name: int(_json(path.with_name("training.json"))["gradient_evaluations"]) for name, path in records.items()
        }

    def steps(self, method: str, seed: int) -> dict[str, RunFolder]:
        """Forget one cohort after the other, each from the bundle that the step before wrote."""
        made: dict[str, RunFolder] = {}
        bundle, checkpoint = None, self.last.checkpoint(seed)
        for number, name in enumerate(STEPS, 1):
            made[name] = self._revised(
                self.stages[number],
                f"{method}-{seed}-{number}",
                seed=seed,
                checkpoint=checkpoint,
                cohort_spec=self.specs[name],
                **({"config_file": bundle / "configs" / "unlearn.yaml"} if bundle else {}),
                **METHODS[method],
            )
            bundle = bundle_of(made[name])
            checkpoint = bundle / "models" / "model.pt"
        return made

    def joint(self, method: str, seed: int, budget: float) -> RunFolder:
        """Forget all cohorts at once."""
        name = f"{method}-{seed}-joint-{budget:g}"
        original = self.last.checkpoint(seed)
        return self._revised(self.last, name, seed=seed, checkpoint=original, **{**METHODS[method], "budget": budget})

    def without_lineage(self, method: str, seed: int, made: dict[str, RunFolder]) -> dict[str, RunFolder]:
        """Take the later steps from bare weights: nothing says what was forgotten, or how networks were trained.

        Args:
            method: The method.
            seed: The seed.
            made: The runs of `steps`, whose first one is taken over, and whose lengths the others get.
        """
        bare = {STEPS[0]: made[STEPS[0]]}
        for number, name in enumerate(STEPS[1:], 2):
            weights = self.work / "runs" / f"{method}-{seed}-{number}-bare-weights" / "model.pt"
            weights.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(bundle_of(bare[STEPS[number - 2]]) / "models" / "model.pt", weights)
            bare[name] = self._revised(
                self.stages[number],
                f"{method}-{seed}-{number}-without-lineage",
                seed=seed,
                checkpoint=weights,
                cohort_spec=self.specs[name],
                # Retrained networks that never saw the earlier cohorts would be refused beside a remain part with them.
                reference=[],
                **{**METHODS[method], "steps": _json(made[name].record)["steps"]},
            )
        return bare

    def _revised(self, runs: ForkedRuns, name: str, **settings: object) -> RunFolder:
        """Run `unlearn`, unless an earlier run did; end the script where it writes nothing."""
        out = RunFolder(self.work / "runs" / name)
        if not out.metrics.exists():
            out.root.parent.mkdir(parents=True, exist_ok=True)
            started = time.perf_counter()
            code, line = runs.unlearn(out.root, audits=[], **settings)
            if code not in WRITTEN:
                sys.exit(f"{name}: {line}")
            print(name, _json(out.metrics)["verdict"], f"{time.perf_counter() - started:.0f} s", flush=True)
        return out


def bundle_of(run: RunFolder) -> Path:
    """Return the bundle that a run wrote, accepted or not."""
    return next(path for path in (run.bundle(accepted=True), run.bundle(accepted=False)) if path.exists())


def step_of(run: RunFolder, table: PredictionTable, cohorts: dict[str, str]) -> dict[str, Any]:
    """Return what a run did: version, verdict, cost, and what the networks say of each cohort."""
    evidence = _json(run.metrics)
    return {
        "version": _json(bundle_of(run) / "configs" / "metadata.json")["version"],
        "method": evidence["method"]["name"],
        "verdict": evidence["verdict"],
        "why": evidence["why"][:2],
        "gradients": evidence["cost"]["this_run"]["gradient_evaluations"],
        "seconds": round(evidence["cost"]["this_run"]["seconds"], 1),
        "cohorts": measured(table, cohorts),
    }


def measure(bench: Sequence, method: str, seed: int) -> dict[str, Any]:
    """Return the steps, the joint revisions and, for one method, the steps without lineage."""
    made = bench.steps(method, seed)
    tables = {name: PredictionTable.read(run.predictions) for name, run in made.items()}
    cohorts = forgotten_by({name: table.frame for name, table in tables.items()})
    found: dict[str, Any] = {"steps": {name: step_of(run, tables[name], cohorts) for name, run in made.items()}}
    as_much = sum(step["gradients"] for step in found["steps"].values()) / bench.retrained()[STEPS[-1]]
    budgets = {"joint": BUDGET, "joint_for_as_much": round(as_much, 3)}
    for name in budgets if method == CLOSER else ("joint_for_as_much",):
        run = bench.joint(method, seed, budgets[name])
        found[name] = step_of(run, PredictionTable.read(run.predictions), cohorts)
    if method == CLOSER:
        bare = bench.without_lineage(method, seed, made)
        found["without_lineage"] = {
            name: measured(with_revised(tables[name], PredictionTable.read(run.predictions)), cohorts)
            for name, run in list(bare.items())[1:]
        }
    return found


def _json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def main() -> None:
    parser = parser_of(__doc__, work=NAME)
    parser.add_argument("--method", choices=tuple(METHODS), action="append")
    parser.add_argument("--seed", type=int, choices=ORIGINALS, action="append")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    options.work.mkdir(parents=True, exist_ok=True)
    bench, seeds = Sequence(options.work), tuple(options.seed or ORIGINALS)
    bench.train(seeds)
    document: dict[str, Any] = {
        "facts": facts(
            "monai-unlearn", "torch", "monai", budget=BUDGET, retrained=len(REFERENCES), originals=len(seeds)
        ),
        "bundle": BUNDLE,
        "setting": asdict(candidate(len(STEPS))),
        "cohorts": {name: asdict(cohort) for name, cohort in COHORTS.items()},
        "retraining_gradients": bench.retrained(),
        "methods": {},
    }
    for method in options.method or METHODS:
        rows = document["methods"].setdefault(method, {})
        for seed in seeds:
            rows[str(seed)] = measure(bench, method, seed)
            write(document, NAME, options.results)


if __name__ == "__main__":
    main()
