"""Documents of counts with their small counts suppressed: for readers who may not see small groups.

A document's counts are connected: parts add up to the readable images, classes to their part, and each step
of the attrition begins where the last one ended. `disclosure.protect` decides by these relations what is shown.
Zeros stay: a zero counts nobody, and that no image of a class remains must not be hidden from anyone.
Counts within texts (warnings, a sample's size, the length of a patient list) become `…` whatever they are.
"""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.reports.disclosure import HIDDEN, LEAST, Key, Relation, at_most, protect, total
from monai_unlearn.errors import CohortError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monai_unlearn.cohort.spec.spec import CohortSpec
    from monai_unlearn.index import Index

    Path = tuple[str | int, ...]

UNITS = ("images", "studies", "patients")

_PARTS = ("forget", "remain", "undetermined")
_GROWING = ("unknown: ", "scope: ")
_PLAIN_TEXTS = {"name", "reason", "spec", "spec_digest", "index_digest", "classes_emptied"}
# What a spec itself says: numbers in it are no counts.
_OF_THE_SPEC = {"rule", "rules", "changes"}
_NUMBER = re.compile(r"\d[\d,.]*\d|\d")
_CLASS_EMPTIED = re.compile(r"The class .* has no image left in the remain part\.")
_LENGTH_OF_LIST = re.compile(r"… \d+ values")
_SAMPLE_COUNT = re.compile(r"^(sample: count )\d+")


def check_limit(below: int) -> None:
    """Check the limit below which counts are suppressed.

    Raises:
        CohortError: It is too small to hide anything.
    """
    if below < LEAST:
        raise CohortError(
            f"--suppress-below: expected at least {LEAST}, got {below}. Below {LEAST}, a suppressed count could only "
            "be 1, and would not be hidden at all."
        )


def preview_for_others(spec: CohortSpec, index: Index, *, below: int) -> dict[str, Any]:
    """Resolve a spec, and return the preview with its small counts suppressed.

    Raises:
        SpecError: A field or value does not fit the index.
        CohortError: N is below 3, or the guards refuse the cohort; the message has no counts in it.
        IndexReadError: The index cannot be read.
    """
    from monai_unlearn.cohort.resolve.unguarded import refusal, resolve_unguarded

    check_limit(below)
    cohort = resolve_unguarded(spec, index)
    if reason := refusal(cohort):
        raise CohortError(masked(reason, source=spec.source))
    return suppress_preview(cohort.preview(), below=below)


def suppress_preview(preview: Mapping[str, Any], *, below: int) -> dict[str, Any]:
    """Return `Cohort.preview()` with its small counts suppressed.

    A count becomes `"<N"` where it is from 1 to N-1, and `"hidden"` where it would give such a one away.

    Args:
        preview: `Cohort.preview()`.
        below: N.

    Raises:
        CohortError: N is below 3.
    """
    check_limit(below)
    return suppressed(preview, _Preview(preview), below=below)


class Connections:
    """How the counts of a document are connected.

    Attributes:
        places: The name of the count at each path of the document; two places may show one count.
        relations: What is known of the counts.
        differences: Counts whose difference everybody can form.
        needed: Which counts are hidden after (above 0) or before (below 0) others.
    """

    def __init__(self) -> None:
        self.places: dict[Path, Key] = {}
        self.relations: list[Relation] = []
        self.differences: list[tuple[Key, Key]] = []
        self.needed: dict[Key, int] = {}

    def matrix(self, path: Path, rows: Mapping[str, Mapping[str, int]]) -> None:
        """Note a table of counts, a mapping of mappings, under its path."""
        for row, cells in rows.items():
            for column in cells:
                place = (*path, row, column)
                self.places[place] = place


def suppressed(document: Mapping[str, Any], connections: Connections, *, below: int) -> dict[str, Any]:
    """Return a document with its small counts suppressed, and nothing in it that could give them away.

    A number that is at none of the connected places is hidden: nothing is known of what it would tell.
    """
    counts = {key: _at(document, path) for path, key in connections.places.items()}
    shown = protect(
        counts,
        connections.relations,
        below=below,
        differences=connections.differences,
        needed=connections.needed,
    )

    def redraw(value: Any, path: Path) -> Any:  # noqa: ANN401 - a document is any tree of plain values
        if isinstance(value, dict):
            return {key: redraw(child, (*path, key)) for key, child in value.items()}
        if isinstance(value, list | tuple):
            return [redraw(child, (*path, number)) for number, child in enumerate(value)]
        if path in connections.places:
            return shown[connections.places[path]]
        if isinstance(value, str):
            return _text(value, path)
        is_harmless = value is None or isinstance(value, bool) or value == 0 or path[0] in _OF_THE_SPEC
        return value if is_harmless else HIDDEN

    return {**redraw(dict(document), ()), "suppressed_below": below}


def _at(document: Any, path: Path) -> int:  # noqa: ANN401 - see above
    for step in path:
        document = document[step]
    return int(document)


def _text(text: str, path: Path) -> str:
    if not _OF_THE_SPEC.isdisjoint(path):
        return _SAMPLE_COUNT.sub(r"\g<1>…", _LENGTH_OF_LIST.sub("… values", text))
    is_plain = not _PLAIN_TEXTS.isdisjoint(path) or _CLASS_EMPTIED.fullmatch(text)
    return text if is_plain else masked(text)


def masked(text: str, *, source: str | None = None) -> str:
    """Return a message without the numbers in it, but with those in the name of the file that it is about."""
    if source is None:
        return _NUMBER.sub("…", text)
    return f"{source}: ".join(map(masked, text.split(f"{source}: ")))


class _Preview(Connections):
    """What everybody knows of the counts of a preview."""

    def __init__(self, preview: Mapping[str, Any]) -> None:
        super().__init__()
        self._rows: list[dict[str, Any]] = preview["attrition"]
        self._attrition()
        self._parts()
        # How many are forgotten is what a preview is for; how many the index has stands elsewhere as well.
        for unit in UNITS:
            self.needed |= {(unit, 0): -1, (unit, 1): -1, (unit, len(self._rows)): 1}
        self.matrix(("classes",), preview["classes"])
        if preview["classes"]:
            for part in _PARTS:
                self.relations.append(
                    total(self.places["images", part], [("classes", name, part) for name in preview["classes"]])
                )
        counts = {key: _at(preview, path) for path, key in self.places.items()}
        # What may be known is known, if it is true: that every patient has a study, for one.
        self.relations += (relation for relation in self._likely() if relation.holds(counts))

    def _attrition(self) -> None:
        for number, unit in product(range(len(self._rows)), UNITS):
            before, after = (unit, number), (unit, number + 1)
            self.places["attrition", number, f"{unit}_in"] = before
            self.places["attrition", number, f"{unit}_out"] = after
            grows = self._rows[number]["rule"].startswith(_GROWING)
            self.relations.append(at_most(before, after) if grows else at_most(after, before))
            self.differences.append((before, after))
        for number, unit in product(range(len(self._rows) + 1), UNITS[1:]):
            self.relations.append(at_most((unit, number), ("images", number)))
        for number, row in enumerate(self._rows):
            if row.get("images_unknown") is not None:
                self.places["attrition", number, "images_unknown"] = ("unknown", number)

    def _parts(self) -> None:
        for unit, part in product(("images", "patients"), _PARTS):
            key: Key = (unit, len(self._rows)) if part == "forget" else (unit, part)
            self.places[unit, part] = key
        images, patients = ([self.places[unit, part] for part in _PARTS] for unit in ("images", "patients"))
        forget, remain, undetermined = patients
        both: Key = ("patients_in_both",)
        self.places[both] = both
        self.relations += (at_most(few, many) for few, many in zip(patients, images, strict=True))
        self.relations += (at_most(both, forget), at_most(both, remain))
        self.differences += ((forget, both), (remain, both))
        everybody: Key = ("patients", 1)
        self.relations += (at_most(part, everybody) for part in patients)
        self.relations.append(Relation({everybody: 1, both: 1, forget: -1, remain: -1}, exact=False))
        if self._has_population:
            self.relations.append(Relation({("images", 1): 1, **dict.fromkeys(images, -1)}, exact=False))
            self.relations.append(at_most(("images", 2), *images))
        else:
            self.relations.append(total(("images", 1), images))
            known = {forget: 1, remain: 1, undetermined: 1, both: -1, everybody: -1}
            self.relations.append(Relation(known, exact=False))

    @property
    def _has_population(self) -> bool:
        return len(self._rows) > 1 and self._rows[1]["rule"].startswith("population: ")

    def _likely(self) -> Iterator[Relation]:
        for number in range(len(self._rows) + 1):
            yield at_most(("patients", number), ("studies", number))
        unknown = [key for key in self.places.values() if key[0] == "unknown"]
        for key in unknown:
            before, after = ("images", key[1]), ("images", int(key[1]) + 1)
            yield Relation({before: 1, after: -1, key: -1}, exact=False)
        if unknown:
            undetermined = self.places["images", "undetermined"]
            yield total(undetermined, unknown)
            yield at_most(undetermined, *unknown)
            yield at_most(unknown[-1], undetermined)
