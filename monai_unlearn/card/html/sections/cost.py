"""The revised network against retrained ones: what each costs, and what each can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.card.html.sections.section import Section
from monai_unlearn.card.html.table import Cell, Table, cells
from monai_unlearn.card.trace import metric_pointer, pointer
from monai_unlearn.card.wording import estimate, networks_range, number, share, subset_words, title
from monai_unlearn.vocabulary.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Document = Mapping[str, Any]

SHOWN = (("forget", "test"), ("remain", "test"))
METRICS = ("accuracy", "sensitivity", "specificity")


def view(diff: Document) -> dict[str, Any]:
    """Return costs and figures side by side."""
    return {
        "table": _cost(diff["cost"]),
        "references": diff["cost"]["references"],
        "networks": Table(
            caption="The revised network beside retrained ones",
            headings=("images", "measure", "revised", "retrained"),
            rows=list(_networks(diff)),
            texts=2,
        ),
    }


def _cost(cost: Document) -> Table:
    retrained = counted(cost["references"], "retrained network")
    alone, also = "the revision alone", f"the revision with its {retrained}"
    if "parents" in cost:
        alone, also = "the composition with both revisions", f"the composition with both revisions and its {retrained}"
    named = {
        alone: ("this_run", "share_of_retraining_gradients"),
        also: ("with_references", "share_with_references"),
    }
    if cost.get("proxies"):
        named["the revision with what its predictor trained"] = ("with_predictor", "share_with_predictor")
    rows = [
        cells(
            words,
            Cell(number(cost[name]["seconds"]), pointer("cost", name, "seconds")),
            Cell(number(cost[name]["gradient_evaluations"]), pointer("cost", name, "gradient_evaluations")),
            Cell(share(cost[part]), pointer("cost", part)),
        )
        for words, (name, part) in named.items()
    ]
    rows.append(
        cells(
            "retraining once",
            Cell(number(cost["seconds"]["retraining"]), pointer("cost", "seconds", "retraining")),
            Cell(
                number(cost["gradient_evaluations"]["retraining"]),
                pointer("cost", "gradient_evaluations", "retraining"),
            ),
            "100.0 %" if cost["gradient_evaluations"]["retraining"] else "–",
        )
    )
    headings = ("", "seconds", "gradient evaluations", "of retraining once")
    return Table(caption="What was computed", headings=("what", *headings[1:]), rows=rows)


def _networks(diff: Document) -> Iterator[list[Cell]]:
    for part, split in SHOWN:
        for row in diff["metrics"]:
            place = (row["part"], row["split"], row["class"])
            if place == (part, split, "all") and row["metric"] in METRICS and row["after"]["value"] is not None:
                yield cells(
                    subset_words(f"{part}_{split}"),
                    title(row["metric"]),
                    Cell(estimate(row["after"]), metric_pointer(row, "after")),
                    networks_range(row["retrained"]),
                )


COST = Section(name="cost", title="Revised against retrained: what it costs", view=view)
