"""Is it real: what the networks still know that their answers do not show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.card.audits import MEASURED, audits_not_measured, figure, span
from monai_unlearn.card.html.plots.dots import Dot, Strip, dot_plot
from monai_unlearn.card.html.plots.roc import curve_words, roc_plot
from monai_unlearn.card.html.plots.scatter import COLOURS, scatter
from monai_unlearn.card.html.sections.section import Section
from monai_unlearn.card.html.table import Cell, Table, cells
from monai_unlearn.card.trace import pointer
from monai_unlearn.card.wording import points, subset_words, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Document = Mapping[str, Any]

NETWORKS = {"original": "original", "revised": "revised", "reference": "retrained"}


def view(diff: Document) -> dict[str, Any]:
    """Return what each audit shows."""
    audits = {name: one for name, one in diff["audits"].items() if one["status"] == MEASURED}
    forgetting = diff["forgetting"]
    return {
        "forgetting": forgetting,
        "change": points(forgetting["change"]),
        "change_recalibrated": points(forgetting["change_recalibrated"]),
        "forgetting_keys": {name: pointer("forgetting", name) for name in ("change", "change_recalibrated")},
        "statistics": _shares(
            audits.get("batchnorm"), name="batchnorm-plot", title="BatchNorm as trained and recalibrated"
        ),
        "membership": _roc(audits.get("membership")),
        "probe": _shares(audits.get("probe"), name="probe-plot", title="What a linear probe finds in the features"),
        "embeddings": _embeddings(audits.get("embeddings"), diff["class_names"]),
        "relearning": diff["audits"].get("relearning"),
        "table": _table(audits),
        "descriptions": diff["audit_info"],
        "not_measured": audits_not_measured(diff["audits"]),
    }


def _headlines(audit: Document) -> Iterator[tuple[int, Document]]:
    for number, row in enumerate(audit["rows"]):
        if row["headline"] and row["revised"]["value"] is not None:
            yield number, row


def _shares(audit: Document | None, *, name: str, title: str) -> Any:  # noqa: ANN401 - markup, or None
    """Plot the headlines of an audit that measures shares."""
    rows = [] if audit is None else [row for _, row in _headlines(audit) if row["unit"] == "share"]
    strips = [
        Strip(
            heading=words(row["measure"]),
            note=subset_words(row["subset"] or "all"),
            dots=[
                *(Dot(kind=kind, name=kind, **row[kind]) for kind in ("original", "revised")),
                *(
                    Dot(kind="retrained", name=f"retrained {number}", **one)
                    for number, one in enumerate(row["retrained"], start=1)
                ),
            ],
        )
        for row in rows
    ]
    return dot_plot(strips, name=name, title=title) if strips else None


def _roc(audit: Document | None) -> Any:  # noqa: ANN401 - markup, or None
    if audit is None or "roc" not in audit["facts"]:
        return None
    roc, row = audit["facts"]["roc"], audit["rows"][0]
    curves = [(NETWORKS[name.partition("_")[0]], caught) for name, caught in roc["true_positive_rates"].items()]
    areas = {"original": figure(row["original"], row["unit"]), "revised": figure(row["revised"], row["unit"])}
    areas["retrained"] = span(row)
    return roc_plot(
        roc["false_positive_rates"],
        # What was revised lies on top.
        sorted(curves, key=lambda one: ("original", "retrained", "revised").index(one[0])),
        name="roc",
        title="How well losses tell images that were trained on from images of the same class that never were",
        description=curve_words(areas),
    )


def _embeddings(audit: Document | None, class_names: list[str]) -> dict[str, Any] | None:
    if audit is None or "points" not in audit["facts"]:
        return None
    panels = []
    for number, (network, found) in enumerate(audit["facts"]["points"].items()):
        kind = NETWORKS[network.partition("_")[0]]
        forgotten = sum(point[3] for point in found)
        described = (
            f"Features of {len(found)} images, {forgotten} of them forgotten, as the {kind} network places them; "
            "distances between clusters mean nothing."
        )
        plot = scatter(
            found, name=f"embedding-{number}", title=f"Features of the {kind} network", description=described
        )
        panels.append((kind, plot))
    groups = audit["facts"]["groups"]
    legend = [(f"class-{number % COLOURS}", words(name)) for number, name in enumerate(class_names)]
    return {"panels": panels, "legend": legend, "table": _neighbours(groups, class_names)}


def _neighbours(groups: Mapping[str, Any], class_names: list[str]) -> Table:
    def cell(form: str, network: str, number: int, name: str) -> Cell:
        at = pointer("audits", "embeddings", "facts", "groups", network, number, name)
        return Cell(form.format(groups[network][number][name]), at)

    return Table(
        caption="The picture in figures: the five images nearest to each image",
        headings=("network", "class", "images that are", "images", "nearest of the same class", "nearest forgotten"),
        rows=[
            cells(
                NETWORKS[network.partition("_")[0]],
                words(class_names[one["class"]]),
                "forgotten" if one["part"] == "forget" else "kept",
                cell("{:,}", network, number, "images"),
                *(cell("{:.0%}", network, number, name) for name in ("same_class", "forgotten")),
            )
            for network, found in groups.items()
            for number, one in enumerate(found)
        ],
        texts=3,
    )


def _table(audits: Document) -> Table:
    headings = ("audit", "measure", "images", "original", "revised", "retrained", "place")
    rows = [
        cells(
            words(name),
            words(row["measure"]),
            subset_words(row["subset"] or "all"),
            Cell(figure(row["original"], row["unit"]), pointer("audits", name, "rows", number, "original", "value")),
            Cell(figure(row["revised"], row["unit"]), pointer("audits", name, "rows", number, "revised", "value")),
            Cell(span(row), pointer("audits", name, "rows", number, "retrained")),
            row["place"] or "–",
        )
        for name, audit in audits.items()
        for number, row in _headlines(audit)
    ]
    return Table(caption="Audits: they inform, and decide nothing", headings=headings, rows=rows, texts=3, tail=1)


REAL = Section(name="real", title="Is the forgetting real?", view=view)
