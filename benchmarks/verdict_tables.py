"""The tables of `verdict_calibration.py`: verdicts counted by what was true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markdown_tables import percent, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Run = dict[str, Any]

TRUTHS = {
    "equal": "as the mean of retrained networks",
    "at the margin": "one class exactly at its margin",
    "beyond the margin": "one class half a margin beyond it",
    "retrained": "one more retrained network",
    "swap": "two classes swapped at equal accuracy",
    "no-op": "the original, unchanged",
    "random weights": "random weights",
}
VERDICTS = ("equivalent", "different", "target_undetermined", "inconclusive")


def errors(result: dict[str, Any]) -> list[str]:
    """Return how often a network at the margin is called equivalent, by patients and retrained seeds."""
    runs = _of(result, "at the margin")
    seeds = sorted({run["seeds"] for run in runs})
    rows = []
    for patients in sorted({run["patients"] for run in runs}):
        chosen = [run for run in runs if run["patients"] == patients]
        by_seeds = [_share([run for run in chosen if run["seeds"] == number], _equivalent) for number in seeds]
        rows.append([f"{patients:,}", *by_seeds, _share(chosen, _inside), _share(chosen, _by_student)])
    heads = ["patients per class", *(f"{number} seeds" for number in seeds), "that interval alone", "Student's alone"]
    return table(heads, rows, numbers=range(len(heads)))


def power(result: dict[str, Any]) -> list[str]:
    """Return how often a network as the mean of the retrained ones is called equivalent."""
    runs = _of(result, "equal")
    patients = sorted({run["patients"] for run in runs})
    shares = {(run["seeds"], run["seed_sd"], run["patients"]): _share([run], _equivalent) for run in runs}
    rows = [
        [number, f"{100 * spread:g}", *(shares[number, spread, count] for count in patients)]
        for number, spread in sorted({(run["seeds"], run["seed_sd"]) for run in runs})
    ]
    heads = ["seeds", "seed SD, points", *(f"{count:,} patients" for count in patients)]
    return table(heads, rows, numbers=range(len(heads)))


def truths(result: dict[str, Any]) -> list[str]:
    """Return how often each verdict is given, by what is true of the revised network."""
    rows = []
    for truth, title in TRUTHS.items():
        runs = _of(result, truth)
        shares = [_share(runs, lambda run, word=verdict: run["verdicts"].get(word, 0)) for verdict in VERDICTS]
        rows.append([title, f"{sum(run['n'] for run in runs):,}", *shares])
    heads = ["the revised network is", "verdicts", *(f"`{verdict}`" for verdict in VERDICTS)]
    return table(heads, rows, numbers=range(1, len(heads)))


def labels(result: dict[str, Any]) -> list[str]:
    """Return how often the verdict errs, and how often it does not, by the number of labels that an image may have."""
    columns = [
        ("at the margin", "equivalent"),
        ("all at the margin", "equivalent"),
        ("all at the margin", "different"),
        ("equal", "equivalent"),
        ("equal", "different"),
        ("retrained", "different"),
    ]
    rows = []
    for number in sorted({run["labels"] for run in result["runs"]}):
        chosen = {truth: [run for run in _of(result, truth) if run["labels"] == number] for truth, _ in columns}
        shares = [_share(chosen[truth], lambda run, word=word: run["verdicts"].get(word, 0)) for truth, word in columns]
        rows.append([str(number), str(chosen["equal"][0]["endpoints"]), *shares])
    heads = [
        "labels",
        "endpoints",
        "one at its margin: `equivalent`",
        "each at its margin: `equivalent`",
        "each at its margin: `different`",
        "as the mean of retrained networks: `equivalent`",
        "the same: `different`",
        "one more retrained network: `different`",
    ]
    return table(heads, rows, numbers=range(len(heads)))


def leave_one_out(result: dict[str, Any]) -> list[str]:
    """Return how real networks were judged: retrained ones against the others, and wrong ones against all."""
    rows = [
        [f"retrained, {name.replace('reference-', 'seed ')}", f"`{one['verdict']}`"]
        for name, one in result["retrained"].items()
    ]
    rows += [[name, f"`{one['verdict']}`"] for name, one in result["wrong"].items()]
    return table(["network", "verdict"], rows)


def _of(result: dict[str, Any], truth: str) -> list[Run]:
    return [run for run in result["runs"] if run["truth"] == truth]


def _share(runs: Iterable[Run], count: Callable[[Run], int]) -> str:
    listed = list(runs)
    return f"{percent(sum(map(count, listed)) / sum(run['n'] for run in listed))} %"


def _equivalent(run: Run) -> int:
    return int(run["verdicts"].get("equivalent", 0))


def _inside(run: Run) -> int:
    return int(run["inside"])


def _by_student(run: Run) -> int:
    return int(run["inside_by_student"])
