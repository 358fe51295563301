"""What the Cohort page shows of a cohort: what `cohort preview` and `explain` say, in the card's tables and plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.card.html.sections.asked import ASKED
from monai_unlearn.card.html.table import Table, cells
from monai_unlearn.card.wording import words
from monai_unlearn.cohort.language.english import sentence
from monai_unlearn.cohort.reports.explain import explain
from monai_unlearn.cohort.resolve.guards import refusal
from monai_unlearn.cohort.resolve.notes import words_of_notes
from monai_unlearn.cohort.resolve.warnings import words_of_undetermined
from monai_unlearn.vocabulary.counted import counted
from monai_unlearn.vocabulary.folding import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monai_unlearn.cohort import Cohort

_PARTS = {"forget": "forgotten", "remain": "kept", "undetermined": "undetermined"}
_SIDES = {"a": "the other", "b": "this one"}


def view(cohort: Cohort) -> dict[str, Any]:
    """Return what the page shows of a cohort: counts and words, nothing of a single patient.

    Raises:
        IndexReadError: The index cannot be read.
    """
    preview, spec = cohort.preview(), cohort.spec
    number = preview["images"]["undetermined"]
    undetermined = words_of_undetermined(number) if number else None
    asked = {
        "forget": sentence(spec.forget).to_dict(),
        "population": None if spec.population is None else sentence(spec.population).to_dict(),
    }
    shown = {
        **preview,
        "forget": spec.forget.render(private=True),
        "asked": asked,
        "scope": spec.scope.value,
        "variants": cohort.variant_counts,
        "doubtful_training": None,
    }
    return {
        "headline": _headline(preview),
        "refusal": refusal(cohort),
        "asked": ASKED.view({"modification": {"reason": preview["reason"], "cohort": shown}}),
        "then": explain(spec)["then"],
        "undetermined": undetermined,
        "unknown": list(_unknown(preview)),
        "classes": _classes(preview),
        "spellings": list(_spellings(preview)),
        # Said once, with the reasons.
        "warnings": [line for line in preview["warnings"] if line != undetermined],
        "notes": list(words_of_notes(preview["notes"])),
    }


def difference(comparison: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page shows of `compare(…)`: what moves, and which differences of the specs cause it."""
    moved, images = comparison["moved"], comparison["images"]
    used = [name for name in images if any(images[name].values()) or any(row[name] for row in images.values())]
    rows = [
        cells(f"by the other: {_PARTS.get(row, row)}", *(f"{images[row][column]:,}" for column in used)) for row in used
    ]
    keys = [cells(one["key"], _said(one["a"]), _said(one["b"])) for one in comparison["changes"]]
    return {
        "moved": _moved(moved),
        "images": Table(
            caption="Where images are by the other spec, and by this one",
            headings=("", *(f"by this one: {_PARTS.get(name, name)}" for name in used)),
            rows=rows,
        ),
        "keys": Table(
            caption="Differences between the specs", headings=("key", "the other", "this one"), rows=keys, texts=3
        ),
        "refused": {name: comparison[side]["refused"] for side, name in _SIDES.items() if comparison[side]["refused"]},
    }


def _moved(moved: Mapping[str, Any]) -> str:
    if not moved["images"]:
        return "No image changes its part."
    images, patients = counted(moved["images"], "image"), counted(moved["patients"] or 0, "patient")
    return f"{images} of {patients} {'changes its' if moved['images'] == 1 else 'change their'} part."


def _headline(preview: Mapping[str, Any]) -> str:
    images, patients = preview["images"], preview["patients"]
    return (
        f"{counted(images['forget'], 'image')} of {counted(patients['forget'], 'patient')} would be forgotten, "
        f"{images['remain']:,} kept."
    )


def _unknown(preview: Mapping[str, Any]) -> Iterator[str]:
    """Yield why images are undetermined, rule by rule."""
    for row in preview["attrition"]:
        if row.get("images_unknown"):
            yield f"{row['rule']}: a value is missing in {counted(row['images_unknown'], 'image')}."


def _classes(preview: Mapping[str, Any]) -> Table | None:
    if not preview["classes"]:
        return None
    parts = [part for part in _PARTS if part != "undetermined" or preview["images"][part]]
    rows = [cells(words(name), *(f"{counts[part]:,}" for part in parts)) for name, counts in preview["classes"].items()]
    return Table(caption="Images by class and part", headings=("class", *(_PARTS[part] for part in parts)), rows=rows)


def _spellings(preview: Mapping[str, Any]) -> Iterator[str]:
    """Yield the other spellings of what the spec compares with; only fields that identify nobody have any here."""
    for entry in preview["variants"] or ():
        listed = ", ".join(
            f"“{visible(text)}” ({counted(images, 'image')}, {'' if text in entry['caught'] else 'not '}taken as equal)"
            for text, images in entry["variants"].items()
        )
        yield f"Other spellings of “{visible(entry['value'])}” ({entry['field']}): {listed}."


def _said(value: object) -> str:
    if value is None:
        return "(not given)"
    return str(value).lower() if isinstance(value, bool) else str(value)
