"""How figures and names of a card are written for people, in every renderer alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.vocabulary.parts import is_earlier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOTHING = "–"
QUIET = ("clear", "inside")
"""What guards find where they do not object."""
ACTIONS = {
    "deploy_revised": "Deploy the revised model",
    "deploy_retrained": "Deploy a retrained model, not the revised one",
    "do_not_deploy": "Do not deploy",
    "not_known": "Not known: do not deploy yet",
}
"""What the card advises."""
REASONS = {
    "device_deprecation": "a device is no longer to be relied on",
    "consent_withdrawal": "consent was withdrawn",
    "label_error": "their labels are wrong",
    "anatomical_outlier": "their anatomy is unusual and misled the model",
    "policy_change": "a policy changed",
    "other": "a reason that the people who asked know",
}
"""Why something is forgotten, as the end of a sentence."""
_TITLES = {"auroc": "AUROC"}
_SUBSETS = {
    "forget_train": "forgotten images, trained on",
    "forget_validation": "forgotten images, for validation",
    "forget_test": "forgotten images, never trained on",
    "forget_held_out": "forgotten images, held out",
    "remain_train": "other images, trained on",
    "remain_validation": "other images, for validation",
    "remain_test": "other images, never trained on",
}
_TARGETS = {
    "match_reference": "the mean of networks retrained without the cohort",
    "erase": "the limit on the forget part, and the original on remain",
}
_BY_PROTOCOL = (
    "the original on remain; how far the forget part moved is held against the rehearsal, since a rehearsed protocol "
    "stands in for retrained networks"
)
_BY_PREDICTION = {
    "rows": (
        "what {name} predicts on the forget part, in place of retrained networks, with intervals widened by its "
        "measured error; and the original on remain"
    ),
    "never_trained": (
        "chance for the AUC, by which losses tell forget training images from never-trained ones of the same class, in "
        "place of retrained networks; and the original on everything else"
    ),
}


def estimate(measured: Mapping[str, Any] | None, *, percent: bool = True) -> str:
    """Format a value with its interval: shares as `87.5 % (80.1–92.4)`, other metrics as `0.412 (0.380–0.444)`."""
    if measured is None or measured["value"] is None:
        return NOTHING
    if percent:
        return f"{100 * measured['value']:.1f} %{_brackets(measured, '{:.1f}–{:.1f}', 100)}"
    return f"{measured['value']:.3f}{_brackets(measured, '{:.3f}–{:.3f}', 1)}"


def difference(measured: Mapping[str, Any], *, percent: bool = True) -> str:
    """Format a difference with its interval: of shares, in points, as `-3.1 (-9.0 to +2.9)`."""
    if measured["value"] is None:
        return NOTHING
    if percent:
        return f"{100 * measured['value']:+.1f}{_brackets(measured, '{:+.1f} to {:+.1f}', 100)}"
    return f"{measured['value']:+.3f}{_brackets(measured, '{:+.3f} to {:+.3f}', 1)}"


def words(name: str) -> str:
    """Return a name of the schema in words: `too few patients`."""
    return name.replace("_", " ")


def subset_words(name: str) -> str:
    """Return the name of a subset in words that need no glossary.

    >>> subset_words("forget_test"), subset_words("earlier:0.2.0_train")
    ('forgotten images, never trained on', 'images forgotten earlier (0.2.0), train')
    """
    if is_earlier(name):
        version, _, split = name.partition(":")[2].rpartition("_")
        return f"images forgotten earlier ({version}), {split}"
    return _SUBSETS.get(name, words(name))


def target(decision: Mapping[str, Any], basis: str) -> str:
    """Return what the revised network was held against."""
    if basis == "protocol":
        return _BY_PROTOCOL
    if basis == "predicted":
        return _BY_PREDICTION[decision["predictor"]["kind"]].format(name=decision["predictor"]["name"])
    return _TARGETS[decision["declared"]["objective"]]


def measure(row: Mapping[str, Any]) -> str:
    """Return what an endpoint measures: `probability of glaucoma` for the class that is predicted."""
    return words(row["measure"]) if row["predicted"] is None else f"probability of {row['predicted']}"


def share(value: float | None) -> str:
    """Format a share in percent."""
    return NOTHING if value is None else f"{100 * value:.1f} %"


def points(value: float | None) -> str:
    """Format a share in points."""
    return NOTHING if value is None else f"{100 * value:.1f}"


def choice(method: Mapping[str, Any]) -> str:
    """Return which method revised a network, who chose it, and on what ground.

    >>> choice({"name": "psg", "chosen_by": "user", "ground": "the user chose it"})
    'psg; the user chose it'
    """
    by_default = "by default, " if method["chosen_by"] == "default" else ""
    return f"{method['name']}; {by_default}{method['ground']}"


def judged(row: Mapping[str, Any]) -> str:
    """Format the difference of an endpoint with its interval, in points: `+1.2 (-3.4 to +5.8)`."""
    if row["d"] is None:
        return f"not judged: {row['fault']}"
    low, high = row["interval"]
    return f"{100 * row['d']:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def title(metric: str) -> str:
    """Format the name of a metric for reading: `Log loss`, `AUROC`."""
    return _TITLES.get(metric) or words(metric).capitalize()


def number(value: float | None) -> str:
    """Format a plain number or its absence."""
    if value is None:
        return NOTHING
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}".rstrip("0").rstrip(".")


def doubtful(found: Mapping[str, Any]) -> str:
    """Format how many doubtful images were trained on and are not forgotten, and why they may be left out."""
    assumed = " at most: no training record names the training images" if found["assumed"] else ""
    why = f". Why they are left out: {found['why']}" if found["images"] and found["why"] else ""
    return f"{found['images']} images{assumed}{why}"


def _brackets(measured: Mapping[str, Any], form: str, factor: int) -> str:
    """Format the interval of an estimate in brackets; without one there are none."""
    interval = measured["interval"]
    return "" if interval is None else f" ({form.format(*(factor * limit for limit in interval))})"


def networks_range(networks: Sequence[Mapping[str, Any]], *, percent: bool = True) -> str:
    """Format the smallest and largest value of networks: `36.5–37.6 %`, or the only one.

    >>> networks_range([{"value": 0.365}, {"value": 0.376}, {"value": None}]), networks_range([])
    ('36.5–37.6 %', '–')
    """
    known = [one["value"] for one in networks if one["value"] is not None]
    if not known:
        return NOTHING
    form, factor, unit = ("{:.1f}", 100, " %") if percent else ("{:.3f}", 1, "")
    limits = dict.fromkeys(form.format(factor * value) for value in (min(known), max(known)))
    return "–".join(limits) + unit
