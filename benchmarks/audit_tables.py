"""What do audits show of the original, the retrained and the revised networks, on the cohorts of `cohort_verdicts.py`?

    python benchmarks/audit_tables.py [--case fundus-camera] [--data FOLDER] [--device cuda]

Reads the runs that `cohort_verdicts.py` keeps in its folder of work, and makes them where they are missing. The runs of
each method under the first seed are audited again, from their predictions and weights, without the limit of a quarter
of a run's seconds; embeddings, which are a picture, are left out. Of real data only counts and figures are kept.
"""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import yaml
from audit_pages import page
from benchmark_options import parser_of
from cohort_verdicts import BUNDLES, CASES, NAME, Bench
from results_file import facts, read, write
from torch.utils.data import Subset

from monai_unlearn.card.audits import MEASURED, headlines
from monai_unlearn.engine.audits import RunNetworks
from monai_unlearn.evaluation import PredictionTable
from monai_unlearn.evaluation.audits import Audited, measure_audits, registered
from monai_unlearn.release import load_weights
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import nn

RESULT = "audit_tables"
LEFT_OUT = ("embeddings",)


def networks_of(bench: Bench, run: RunFolder, predictions: PredictionTable) -> RunNetworks:
    """Return the networks of a finished run from their weights, checked against what they predicted then."""
    content = config_of(bench)
    images = [
        Subset(content("subsets")[part, split], _positions(content("data").items([part], split), rows["image_id"], run))
        for (part, split), rows in predictions.frame.groupby(["part", "split"], sort=False)
    ]
    modules = {}
    for name, weights in weights_of(bench, run, predictions).items():
        modules[name] = copy.deepcopy(content("network_def"))
        load_weights(modules[name], weights)
    found = RunNetworks(modules, images, **_remain(content))
    for name, module in modules.items():
        _check(name, module.eval(), found, predictions)
    return found


def _positions(items: Sequence[dict[str, Any]], wanted: Sequence[str], run: RunFolder) -> list[int]:
    """Return where the images of a table lie in a data set: of a large one, a run evaluates a sample."""
    place = {item["image_id"]: number for number, item in enumerate(items)}
    if not set(wanted) <= set(place):
        raise SystemExit(f"{run.root}: the index has other images than the predictions of the run.")
    return [place[image] for image in wanted]


def _remain(content: Any) -> dict[str, Any]:  # noqa: ANN401 - a function of the parser
    return {"remain": content("subsets")["remain", "train"], "revised": "revised"}


def _check(name: str, module: nn.Module, found: RunNetworks, predictions: PredictionTable) -> None:
    rows = np.linspace(0, len(predictions.frame) - 1, 40).astype(int)
    with torch.inference_mode():
        logits = module(torch.stack([found.images[row]["image"] for row in rows])).numpy()
    if not np.allclose(logits, predictions.logits[name][rows], atol=0.02):
        raise SystemExit(f"{name}: the weights do not give the predictions of the run.")


def config_of(bench: Bench) -> Any:  # noqa: ANN401 - a function of the parser
    """Return what gives the parts of a bundle's config for a case."""
    from monai.bundle import ConfigParser

    folder, case = BUNDLES / bench.case.bundle, bench.case
    parser = ConfigParser()
    parser.read_config(str(folder / "configs" / "unlearn.yaml"))
    parser.read_meta(str(folder / "configs" / "metadata.json"))
    words = [str(word) for word in (*bench.common[:2], *case.settings)]
    given = {
        name.removeprefix("--"): yaml.safe_load(value) for name, value in zip(words[::2], words[1::2], strict=True)
    }
    places = {"cohort_spec": str(case.spec), "output_dir": str(bench.work / "not-used"), "bundle_root": str(folder)}
    imports = ["$import monai_unlearn.engine as engine"]
    parser.update({**given, **places, "device": "cpu", "imports": imports})
    return parser.get_parsed_content


def weights_of(bench: Bench, run: RunFolder, predictions: PredictionTable) -> dict[str, Path]:
    """Return the file of the weights of the original, the revised and each retrained network."""
    bundles = [run.bundle(accepted=accepted) / "models" / "model.pt" for accepted in (True, False)]
    found = {"original": bench.checkpoint, "revised": next(path for path in bundles if path.is_file())}
    kept = RunFolder(bench.work / "psg-0")
    references = [one for one in predictions.networks if one.role == "reference"]
    return {**found, **{one.name: kept.reference(int(one.seed or 0)) / "model.pt" for one in references}}


def audited(bench: Bench, method: str) -> dict[str, Any]:
    """Return the audits of a run, and what they took."""
    run = RunFolder(bench.work / f"{method}-0")
    predictions = PredictionTable.read(run.predictions)
    networks = networks_of(bench, run, predictions)
    # Without the network as trained, there is nothing to compare the recalibrated one with.
    lacking = () if Audited(table=predictions).as_trained else ("batchnorm",)
    audits = [one for name, one in registered().items() if name not in (*LEFT_OUT, *lacking)]
    began = time.perf_counter()
    found, spent = measure_audits(
        audits, Audited(table=predictions, networks=networks), allowed=float("inf"), seconds_per_pass=0.0
    )
    print(f"{method}: {time.perf_counter() - began:.0f} s", flush=True)
    return {"audits": found, "seconds": spent["by_audit"]}


def row_of(name: str, bench: Bench, method: str) -> dict[str, Any]:
    """Return what is kept of a run: its headlines, what each audit counted, and what was not measured."""
    metrics = bench._read(method, 0)  # noqa: SLF001 - the other benchmark reads its runs so
    found = audited(bench, method)
    audits = found["audits"]
    return {
        "case": name,
        "title": bench.case.title,
        "bundle": bench.case.bundle,
        "method": method,
        "verdict": metrics["verdict"],
        "counts": metrics["counts"],
        "retrained": metrics["decision"]["references"],
        "headlines": [{"audit": audit, **row} for audit, row in headlines(audits)],
        "counted": {audit: one["facts"] for audit, one in audits.items() if audit != "distance"},
        "not_measured": {audit: one["why"] for audit, one in audits.items() if one["status"] != MEASURED},
        "seconds": found["seconds"],
    }


def main() -> None:
    parser = parser_of(__doc__, work=NAME, data=True)
    parser.add_argument("--case", choices=tuple(CASES), action="append", help="only these; the others keep their rows")
    parser.add_argument("--method", nargs="*", default=["psg", "reset"], help="made if missing; others if they exist")
    parser.add_argument("--device", default="cpu", help="for runs that are missing; audits run on the processor")
    options = parser.parse_args()
    data, work = (one.resolve() if one else None for one in (options.data, options.work))
    path = options.results / f"{RESULT}.json"
    kept = {
        (row["case"], row["method"]): row for row in (read(RESULT, options.results)["rows"] if path.exists() else [])
    }
    for name in options.case or CASES:
        if CASES[name].real and data is None:
            continue
        bench = Bench(name, data, work, options.device)
        bench.train()
        for method in bench.case.methods:
            if method in options.method:
                bench.revised(method, 0)
            if (bench.work / f"{method}-0").exists():
                about = facts("monai-unlearn", "monai", "torch", seeds=1, not_measured="spread over seeds of a method")
                kept[name, method] = {**row_of(name, bench, method), "facts": about}
                write({"rows": list(kept.values())}, RESULT, options.results)
    document = read(RESULT, options.results)
    path.with_suffix(".md").write_text(page(document), encoding="utf-8")
    print(page(document))


if __name__ == "__main__":
    main()
