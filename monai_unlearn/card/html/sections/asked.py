"""What was asked, in plain words, and whom it caught."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.card.html.plots.funnel import funnel
from monai_unlearn.card.html.sections.section import Section
from monai_unlearn.card.html.table import Cell, Table, cells
from monai_unlearn.card.trace import pointer
from monai_unlearn.card.wording import REASONS, doubtful
from monai_unlearn.cohort.resolve.value_list_words import value_list_words
from monai_unlearn.cohort.resolve.variant_words import variant_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Document = Mapping[str, Any]

SCOPES = {
    "image": "Each image was judged by itself.",
    "series": "With one image that matches, its whole series is forgotten.",
    "study": "With one image that matches, its whole study is forgotten.",
    "patient": "With one image that matches, all images of its patient are forgotten.",
}
IN_BOTH = {
    "consent_withdrawal": (
        "For a withdrawn consent this disqualifies: the model still learns from other images of these patients. Forget "
        "whole patients (scope: patient)."
    ),
    "device_deprecation": "For a device this is a note only: the model may go on learning from their other images.",
}
_COUNTED = ("images_in", "images_out", "patients_in", "patients_out", "images_unknown")


def view(diff: Document) -> dict[str, Any]:
    """Return what was asked, and what came of it."""
    cohort, reason = diff["modification"]["cohort"], diff["modification"]["reason"]
    steps = [(row["rule"], row["images_out"], row["patients_out"]) for row in cohort["attrition"]]
    return {
        "cohort": cohort,
        "reason": REASONS[reason],
        "scope": SCOPES[cohort["scope"]],
        "plot": funnel(steps, name="funnel", title="How many images are left after each rule"),
        "table": _attrition(cohort),
        "parts": _parts(cohort),
        "in_both": IN_BOTH.get(reason, "The model may go on learning from their other images."),
        "lists": [value_list_words(entry) for entry in cohort["value_lists"]],
        "spellings": [variant_words(entry) for entry in cohort["variants"]],
        "doubtful": None if cohort["doubtful_training"] is None else doubtful(cohort["doubtful_training"]),
    }


def _attrition(cohort: Document) -> Table:
    headings = ("rule", "images in", "images left", "patients in", "patients left", "images undetermined")
    rows = [cells(row["rule"], *_counts(row, number)) for number, row in enumerate(cohort["attrition"])]
    return Table(
        caption="Attrition: from all readable images to those that are forgotten", headings=headings, rows=rows
    )


def _counts(row: Document, number: int) -> Iterator[Cell]:
    for name in _COUNTED:
        key = pointer("modification", "cohort", "attrition", number, name)
        yield Cell(f"{row[name]:,}", key) if name in row else Cell("–")


def _parts(cohort: Document) -> Table:
    rows = [
        cells(
            words,
            *(
                Cell(f"{cohort[what][part]:,}", pointer("modification", "cohort", what, part))
                for what in ("images", "patients")
            ),
        )
        for part, words in (
            ("forget", "forgotten"),
            ("remain", "kept: the model goes on learning from them"),
            ("undetermined", "undetermined: a value is missing, so they are used for neither"),
        )
    ]
    return Table(caption="Images and patients by part", headings=("part", "images", "patients"), rows=rows)


ASKED = Section(name="asked", title="What was asked, and whom it caught", view=view)
