"""Previews for readers who may not see small groups."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from monai_unlearn.cohort.reports.disclosure import Relation, at_most, total
from monai_unlearn.cohort.reports.suppress import (
    Connections,
    check_limit,
    count_at,
    masked,
    suppressed,
    without_lengths,
)
from monai_unlearn.cohort.resolve.attrition import RowKind
from monai_unlearn.cohort.resolve.guards import refusal
from monai_unlearn.cohort.resolve.preview import Preview
from monai_unlearn.cohort.resolve.resolve import resolve_unguarded
from monai_unlearn.cohort.resolve.sample import sample_text
from monai_unlearn.errors import CohortError
from monai_unlearn.vocabulary.parts import PARTS
from monai_unlearn.vocabulary.privacy import names_people

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monai_unlearn.cohort.reports.disclosure import Key
    from monai_unlearn.cohort.resolve.cohort import Cohort
    from monai_unlearn.cohort.spec.spec import CohortSpec
    from monai_unlearn.index import Index

UNITS = ("images", "studies", "patients")


def preview_for_others(spec: CohortSpec, index: Index, *, below: int) -> Preview:
    """Resolve a spec, and return the preview with its small counts suppressed.

    Raises:
        SpecError: A field or value does not fit the index.
        CohortError: N is below 3, or the guards refuse the cohort; the message has no counts in it.
        IndexReadError: The index cannot be read.
    """
    check_limit(below)
    cohort = resolve_unguarded(spec, index)
    if reason := refusal(cohort):
        raise CohortError(masked(reason, source=spec.source))
    return suppress_preview(cohort, below=below)


def suppress_preview(cohort: Cohort, *, below: int) -> Preview:
    """Return `cohort.preview()` with its small counts suppressed.

    A count becomes `"<N"` where it is from 1 to N-1, and `"hidden"` where it would give such a count away.

    Args:
        cohort: The cohort.
        below: N.

    Raises:
        CohortError: N is below 3.
    """
    check_limit(below)
    return Preview(suppressed(cohort.preview(), _PreviewConnections(cohort), below=below))


class _PreviewConnections(Connections):
    """What everybody knows about the counts of a preview."""

    def __init__(self, cohort: Cohort) -> None:
        super().__init__()
        self._kinds = [row.kind for row in cohort.attrition]
        self._connect_attrition()
        self._connect_parts()
        # A preview is about how many images are forgotten; how many the index has is shown elsewhere as well.
        for unit in UNITS:
            self.needed |= {(unit, 0): -1, (unit, 1): -1, (unit, len(self._kinds)): 1}
        self._connect_classes(cohort.counts.classes)
        self._lists = cohort.value_lists
        self._connect_lists()
        self._replace_texts(cohort)
        preview = cohort.preview()
        counts = {key: count_at(preview, path) for path, key in self.places.items()}
        # A reader may assume these, such as that every patient has a study; they count as known where they are true.
        self.relations += (relation for relation in self._likely() if relation.holds(counts))

    def _connect_attrition(self) -> None:
        for (number, kind), unit in product(enumerate(self._kinds), UNITS):
            before, after = (unit, number), (unit, number + 1)
            self.places["attrition", number, f"{unit}_in"] = before
            self.places["attrition", number, f"{unit}_out"] = after
            self.relations.append(at_most(before, after) if kind.adds_images else at_most(after, before))
            self.differences.append((before, after))
        for number, unit in product(range(len(self._kinds) + 1), UNITS[1:]):
            self.relations.append(at_most((unit, number), ("images", number)))
        for number in range(len(self._kinds)):
            self.places["attrition", number, "images_unknown"] = ("unknown", number)

    def _connect_parts(self) -> None:
        for unit, part in product(("images", "patients"), PARTS):
            key: Key = (unit, len(self._kinds)) if part == "forget" else (unit, part)
            self.places[unit, part] = key
        images, patients = ([self.places[unit, part] for part in PARTS] for unit in ("images", "patients"))
        forget, remain, undetermined = patients
        both: Key = ("patients_in_both",)
        self.places[both] = both
        self.relations += (at_most(few, many) for few, many in zip(patients, images, strict=True))
        self.relations += (at_most(both, forget), at_most(both, remain))
        self.differences += ((forget, both), (remain, both))
        everybody: Key = ("patients", 1)
        self.relations += (at_most(part, everybody) for part in patients)
        self.relations.append(Relation({everybody: 1, both: 1, forget: -1, remain: -1}, exact=False))
        if RowKind.POPULATION in self._kinds:
            self.relations.append(Relation({("images", 1): 1, **dict.fromkeys(images, -1)}, exact=False))
            self.relations.append(at_most(("images", 2), *images))
        else:
            self.relations.append(total(("images", 1), images))
            known = {forget: 1, remain: 1, undetermined: 1, both: -1, everybody: -1}
            self.relations.append(Relation(known, exact=False))

    def _connect_classes(self, classes: Mapping[str, Mapping[str, int]]) -> None:
        self.matrix(("classes",), classes)
        for part in PARTS if classes else ():
            self.relations.append(total(self.places["images", part], [("classes", name, part) for name in classes]))

    def _connect_lists(self) -> None:
        """A list that nobody may count, such as that of the patients who withdrew, gives people away as well."""
        for number, entry in enumerate(self._lists):
            place: Key = ("value_lists", number)
            near: list[Key] = [(*place, "near", kind) for kind in entry["near"]]
            values, matched, absent = ((*place, name) for name in ("values", "matched", "absent"))
            self.places |= {key: key for key in (values, matched, absent, *near)}
            # What does not occur is absent or not, and nearly occurs or does not.
            self.relations.append(Relation({values: 1, matched: -1, absent: -1}, exact=False))
            self.relations.append(Relation({values: 1, matched: -1, **dict.fromkeys(near, -1)}, exact=False))
            self.differences.append((values, matched))

    def _replace_texts(self, cohort: Cohort) -> None:
        """Leave counts out of the texts that have some."""
        for number, notice in enumerate(cohort.notices):
            self.texts["warnings", number] = notice.uncounted or without_lengths(notice.text)
        if cohort.spec.sample is not None:
            number = self._kinds.index(RowKind.SAMPLE)
            self.texts["attrition", number, "rule"] = sample_text(cohort.spec.sample, counted=False)

    def _likely(self) -> Iterator[Relation]:
        for number in range(len(self._kinds) + 1):
            yield at_most(("patients", number), ("studies", number))
        unknown: list[Key] = [("unknown", number) for number in range(len(self._kinds))]
        for number, key in enumerate(unknown):
            yield Relation({("images", number): 1, ("images", number + 1): -1, key: -1}, exact=False)
        undetermined = self.places["images", "undetermined"]
        yield total(undetermined, unknown)
        yield at_most(undetermined, *unknown)
        yield at_most(unknown[-1], undetermined)
        for number, entry in enumerate(self._lists):
            if names_people(entry["field"]):
                yield from self._of_people(("value_lists", number, "matched"))

    def _of_people(self, matched: Key) -> Iterator[Relation]:
        """Yield that a listed value which occurs is a patient, a study or an image of some step."""
        for unit, number in product(UNITS, range(len(self._kinds) + 1)):
            yield at_most((unit, number), matched)
            yield at_most(matched, (unit, number))
