"""The tables of `predictor_errors.py`: how far predictors are off, and what an attack on losses sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markdown_tables import table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SETS = {"phantom": "phantoms", "odir": "ODIR-5K"}
MISSING = "–"
SUBSETS = ("forget_train", "forget_test")


def errors(results: Mapping[str, dict[str, Any]]) -> list[str]:
    """Return, by cohort and predictor, what was predicted, what retraining gave and the largest error, in points."""
    rows = [
        [
            f"{SETS[name]}: {case['name']}",
            f"`{predictor}`",
            *(cell for subset in SUBSETS for cell in _cells([row for row in found if row["subset"] == subset])),
            _cost(case["proxies"], len(case["predicted"])),
        ]
        for name, case in _cases(results)
        for predictor, found in case["predicted"].items()
    ]
    heads = ["cohort", "predictor"]
    for subset in SUBSETS:
        words = subset.replace("_", " ")
        heads += [f"{words}: predicted / retrained, %", "largest error, points"]
    return table([*heads, "cost, of retraining once"], rows, numbers=range(2, 7))


def aucs(results: Mapping[str, dict[str, Any]]) -> list[str]:
    """Return the AUC of the original and the range of those of retrained networks, by cohort and what is compared."""
    rows = []
    for name, case in _cases(results):
        for parts, networks in case["aucs"].items():
            if "original" not in networks:
                continue
            low, high = networks["original"]["interval"]
            retrained = [one["auc"] for network, one in networks.items() if network != "original"]
            rows.append(
                [
                    f"{SETS[name]}: {case['name']}",
                    parts.replace("+", " and "),
                    networks["original"]["patients"],
                    f"{networks['original']['auc']:.2f} ({low:.2f}–{high:.2f})",
                    f"{min(retrained):.2f}–{max(retrained):.2f}",
                ]
            )
    heads = ["cohort", "against never-trained images of", "patients", "original, 90 % interval", "retrained"]
    return table(heads, rows, numbers=range(2, 5))


def _cases(results: Mapping[str, dict[str, Any]]) -> Iterable[tuple[str, dict[str, Any]]]:
    return ((name, case) for name, result in results.items() for case in result["cases"])


def _cells(rows: list[dict[str, Any]]) -> tuple[str, str]:
    """Return the mean over classes of what was predicted and of what retraining gave, and the largest error."""
    if not rows:
        return MISSING, MISSING
    predicted, retrained = (100 * sum(row[key] for row in rows) / len(rows) for key in ("predicted", "retrained"))
    return f"{predicted:.1f} / {retrained:.1f}", f"{100 * max(row['error'] for row in rows):.1f}"


def _cost(proxies: dict[str, Any] | None, predictors: int) -> str:
    if proxies is None:
        return "none"
    both = " (both)" if predictors > 1 else ""
    return f"{100 * proxies['share_of_retraining']:.0f} %{both}"
