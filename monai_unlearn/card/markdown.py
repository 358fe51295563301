"""The difference as Markdown, for people who sign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from monai_unlearn.card.audits import audit_cells, audits_not_measured, described
from monai_unlearn.cohort.resolve.value_list_words import value_list_words
from monai_unlearn.cohort.resolve.variant_words import variant_words
from monai_unlearn.evaluation.decision import promotes
from monai_unlearn.evaluation.metrics import ACCURACY, Metric, registered
from monai_unlearn.terminal import escaped

if TYPE_CHECKING:
    from collections.abc import Mapping

QUIET = ("clear", "inside")
"""What guards find where they do not object."""
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


def to_markdown(diff: Mapping[str, Any]) -> str:
    """Render a difference that `build_diff` made."""
    environment = Environment(
        loader=PackageLoader("monai_unlearn.card", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # Markdown, not HTML: what could break it is escaped by `text` below.
        autoescape=False,  # noqa: S701
    )
    environment.filters.update(
        estimate=estimate,
        difference=difference,
        words=words,
        measure=measure,
        share=share,
        judged=judged,
        points=points,
        text=text,
        number=number,
        title=title,
        value_list=value_list_words,
        variants=variant_words,
        doubtful=doubtful,
    )
    further = [row for row in diff["metrics"] if row["metric"] != ACCURACY.name]
    decision = diff["decision"]
    guards = [row for row in decision["endpoints"] if row["guard"]]
    rendered = environment.get_template("model_card_diff.md.jinja").render(
        diff=diff,
        promoted=_promoted(diff["verdict"]),
        target=_target(decision, diff["basis"]),
        endpoints=[row for row in decision["endpoints"] if not row["guard"]],
        guards=guards,
        objecting=[row for row in guards if row["status"] not in QUIET],
        # What was declared more leniently stands in the line of the verdict already.
        warnings=[*(note for note in decision["notes"] if note not in decision["line"]), *diff["warnings"]],
        accuracy=[row for row in diff["metrics"] if row["metric"] == ACCURACY.name],
        further=further,
        audits=audit_cells(diff["audits"]),
        not_measured=audits_not_measured(diff["audits"]),
        audit_descriptions=described(diff["audits"]),
        descriptions={row["metric"]: _metric(row["metric"]).description for row in further},
    )
    return escaped(rendered)


def estimate(measured: Mapping[str, Any] | None, metric: str) -> str:
    """Format a value with its interval: shares as `87.5 % (80.1–92.4)`, other metrics as `0.412 (0.380–0.444)`."""
    if measured is None or measured["value"] is None:
        return "–"
    if _metric(metric).percent:
        return f"{100 * measured['value']:.1f} %{_brackets(measured, '{:.1f}–{:.1f}', 100)}"
    return f"{measured['value']:.3f}{_brackets(measured, '{:.3f}–{:.3f}', 1)}"


def difference(measured: Mapping[str, Any], metric: str) -> str:
    """Format a difference with its interval: of shares, in points, as `-3.1 (-9.0 to +2.9)`."""
    if measured["value"] is None:
        return "–"
    if _metric(metric).percent:
        return f"{100 * measured['value']:+.1f}{_brackets(measured, '{:+.1f} to {:+.1f}', 100)}"
    return f"{measured['value']:+.3f}{_brackets(measured, '{:+.3f} to {:+.3f}', 1)}"


def words(name: str) -> str:
    """Return a name of the schema in words: `too few patients`."""
    return name.replace("_", " ")


def _target(decision: Mapping[str, Any], basis: str) -> str:
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
    return "–" if value is None else f"{100 * value:.1f} %"


def points(value: float | None) -> str:
    """Format a share in points."""
    return "–" if value is None else f"{100 * value:.1f}"


def judged(row: Mapping[str, Any]) -> str:
    """Format the difference of an endpoint with its interval, in points: `+1.2 (-3.4 to +5.8)`."""
    if row["d"] is None:
        return f"not judged: {text(row['fault'])}"
    low, high = row["interval"]
    return f"{100 * row['d']:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def title(metric: str) -> str:
    """Format the name of a metric for reading: `Log loss`."""
    return metric.replace("_", " ").capitalize()


def number(value: float | None) -> str:
    """Format a plain number or its absence."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}"


def doubtful(found: Mapping[str, Any]) -> str:
    """Format how many doubtful images were trained on and are not forgotten, and why they may be left out."""
    assumed = " at most: no training record names the training images" if found["assumed"] else ""
    why = f". Why they are left out: {found['why']}" if found["images"] and found["why"] else ""
    return f"{found['images']} images{assumed}{why}"


def text(value: object) -> str:
    """Make a text safe inside a cell of a table: specs come from anywhere."""
    plain = " ".join(str(value).split())
    for character in "\\`|<>[]":
        plain = plain.replace(character, "\\" + character)
    return plain


def _promoted(verdict: str) -> str:
    return "The bundle may be deployed." if promotes(verdict) else "Nothing was promoted: do not deploy this bundle."


def _brackets(measured: Mapping[str, Any], form: str, factor: int) -> str:
    """Format the interval of an estimate in brackets; without one there are none."""
    interval = measured["interval"]
    return "" if interval is None else f" ({form.format(*(factor * limit for limit in interval))})"


def _metric(name: str) -> Metric:
    return registered()[name]
