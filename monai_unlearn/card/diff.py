"""The canonical difference between a model's card before and after a revision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from monai_unlearn.card.advice import advice
from monai_unlearn.card.audits import MEASURED
from monai_unlearn.card.document_schema import check
from monai_unlearn.card.subgroups import subgroups
from monai_unlearn.evaluation import audits
from monai_unlearn.evaluation.decision.outcome import TOP
from monai_unlearn.evaluation.layout import read_difference, read_value
from monai_unlearn.evaluation.metrics import ACCURACY, Metric, registered

Document = Mapping[str, Any]

BY_CLASS = (ACCURACY.name, "sensitivity", "specificity", "false_negatives")
"""The metrics whose rows are given class by class: every one of them would bury the table, `metrics.json` has them."""
_AS_THEY_ARE = ("class_names", "counts", "true_class", "forgetting", "audits", "cost", "warnings")
_CONFUSED = ("original", "revised")


def build_diff(
    *,
    base: Document,
    revised: Document,
    modification: Document,
    evidence: Document,
    bundle: Document | None = None,
    earlier: Sequence[Document] = (),
    versions: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Put together the difference and check it against the schema.

    Args:
        base: `name`, `version`, `weights_digest` of the bundle before.
        revised: The same after.
        modification: Why and how: reason, cohort, method, seed, dates.
        evidence: The content of `metrics.json`.
        bundle: What the bundle's metadata say of the model; see `bundle_facts`.
        earlier: What earlier revisions forgot, the first one first, as entries of `lineage.json`.
        versions: Of Python and the packages that matter.

    Raises:
        jsonschema.ValidationError: The parts do not make a valid difference, which is a bug in this package.
    """
    confusion = evidence["confusion"]
    diff = {
        "schema_version": 1,
        "base": base,
        "revised": revised,
        "bundle": bundle or {},
        "modification": modification,
        **{key: evidence[key] for key in (*TOP, "decision")},
        "metrics": list(metric_rows(evidence)),
        "subgroups": subgroups(evidence),
        "confusion": {
            "networks": {name: confusion["networks"][name] for name in _CONFUSED},
            "change": confusion["change"],
        },
        **{key: evidence[key] for key in _AS_THEY_ARE},
        "earlier": list(earlier),
        "versions": dict(versions or {}),
        "metric_info": {
            one.name: {"description": one.description, "direction": one.direction, "percent": one.percent}
            for one in registered().values()
        },
        "audit_info": _described(evidence["audits"]),
    }
    diff["advice"] = advice(diff)
    check(diff)
    return diff


def _described(found: Document) -> dict[str, str]:
    """Return what each measured audit shows, by its name."""
    known = audits.registered()
    return {name: known[name].description for name, one in found.items() if one["status"] == MEASURED and name in known}


def metric_rows(evidence: Document) -> Iterator[dict[str, Any]]:
    """Yield a row for each metric, part and split; of some metrics also for each class.

    The rows are those of all registered metrics, in their order. The class is `all` for all classes together. Rows
    of two differences belong together if their keys, `metric/part/split/class`, are the same; `card/trace.py` says
    where in `metrics.json` their figures stand.
    """
    for metric in registered().values():
        for part, splits in evidence["models"]["original"].items():
            for split, subset in splits.items():
                classes = subset["classes"] if metric.name in BY_CLASS else ()
                for name in ("all", *classes):
                    yield _row(evidence, metric, part=part, split=split, name=name)


def _row(evidence: Document, metric: Metric, *, part: str, split: str, name: str) -> dict[str, Any]:
    models = evidence["models"]
    values = {model: read_value(metric, _pick(table[part][split], name)) for model, table in models.items()}
    change = read_difference(metric, _pick(evidence["changes"][part][split], name))
    return {
        "key": f"{metric.name}/{part}/{split}/{name}",
        "metric": metric.name,
        "part": part,
        "split": split,
        "class": name,
        "n": _pick(models["original"][part][split], name)["n"],
        "before": values["original"],
        "after": values["revised"],
        "after_recalibrated": values.get("revised_recalibrated"),
        "reference": values.get("reference"),
        "retrained": [{"network": model, **found} for model, found in values.items() if model.startswith("reference")],
        "change": change,
    }


def _pick(entry: Document, name: str) -> Document:
    picked: Document = entry if name == "all" else entry["classes"][name]
    return picked
