"""What a spec selects, in counts: a plain dictionary that notebooks show as tables."""

from __future__ import annotations

from typing import Any

from monai_unlearn.cohort.resolve.notes import words_of_notes
from monai_unlearn.cohort.resolve.value_list_words import value_list_words
from monai_unlearn.notebook import items, paragraph, table

_ATTRITION = {
    "images in": "images_in",
    "images unknown": "images_unknown",
    "images out": "images_out",
    "patients out": "patients_out",
}


class Preview(dict[str, Any]):
    """The plain values of `Cohort.preview()`, or those in which small counts are suppressed."""

    def _repr_html_(self) -> str:
        """Return the parts, the attrition, the classes and the warnings: counts, and nothing of a single patient."""
        parts = [(part, images, self["patients"][part]) for part, images in self["images"].items()]
        rules = [(row["rule"], *(row[key] for key in _ATTRITION.values())) for row in self["attrition"]]
        classes = self["classes"]
        columns = list(next(iter(classes.values()), {}))
        words = [
            *map(value_list_words, self["value_lists"]),
            *self["warnings"],
            *words_of_notes(self["notes"]),
        ]
        return "".join(
            [
                paragraph(f"Cohort {self['name']} ({self['reason']})", bold=True),
                table("Parts", ["part", "images", "patients"], parts),
                table("From the index to the forget part", ["rule", *_ATTRITION], rules),
                table("Images by class", ["class", *columns], [(name, *row.values()) for name, row in classes.items()])
                if classes
                else "",
                items(words),
            ]
        )
