"""A cohort: the three parts that a spec sorts the images of an index into, with the attrition that explains them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.resolve.counts import PartCounts
from monai_unlearn.cohort.resolve.kept_although_listed import kept_although_listed, negated_lists, parts_of_identifiers
from monai_unlearn.cohort.resolve.listed_values import matches_of
from monai_unlearn.cohort.resolve.notes import notes_of
from monai_unlearn.cohort.resolve.part_rows import image_ids, part_rows
from monai_unlearn.cohort.resolve.passed_on import PassedOn
from monai_unlearn.cohort.resolve.preview import Preview
from monai_unlearn.cohort.resolve.split import SplitRule
from monai_unlearn.cohort.resolve.variants import variants_of
from monai_unlearn.cohort.resolve.warnings import CohortWarning, warnings_of
from monai_unlearn.cohort.typing.compared import compared
from monai_unlearn.cohort.typing.passed_on import may_stay
from monai_unlearn.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from monai_unlearn.cohort.query.answers import Answers
    from monai_unlearn.cohort.query.statement import Question
    from monai_unlearn.cohort.query.value_matches import ListMatch
    from monai_unlearn.cohort.resolve.attrition import AttritionRow
    from monai_unlearn.cohort.resolve.membership import Membership
    from monai_unlearn.cohort.resolve.variants import Variants
    from monai_unlearn.cohort.spec.spec import CohortSpec
    from monai_unlearn.cohort.typing.columns import Bound
    from monai_unlearn.index import Index

SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Cohort:
    r"""A spec resolved on an index.

    The parts are disjoint, and together they are the readable images of the spec's population.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from monai_unlearn.cohort import CohortSpec
    >>> from monai_unlearn.index.tables.from_table import TableRequest, index_table
    >>> spec = CohortSpec.parse('''
    ... schema_version: 1
    ... name: retire-camera
    ... reason: device_deprecation
    ... forget: device == old
    ... ''')
    >>> with TemporaryDirectory() as folder:
    ...     table = Path(folder, "images.csv")
    ...     _ = table.write_text("file,device\na.png,old\nb.png,new\nc.png,\n")
    ...     request = TableRequest(table=table, id_column="file", out=Path(folder, "index"))
    ...     cohort = spec.resolve(index_table(request).index)
    >>> cohort.images
    {'forget': 1, 'remain': 1, 'undetermined': 1}
    >>> cohort.image_ids["undetermined"]
    ['c.png']

    Attributes:
        spec: The spec.
        index: The index.
        question: What the spec asks of the index.
        attrition: From all rows of the index to the forget part, step by step.
        answers: What each rule evaluates to, row by row.
        membership: Which row is in which part.
        bound: The columns of the spec's fields.
    """

    spec: CohortSpec
    index: Index
    question: Question = field(repr=False, compare=False)
    attrition: tuple[AttritionRow, ...]
    answers: Answers = field(repr=False, compare=False)
    membership: Membership = field(repr=False, compare=False)
    bound: Mapping[str, Bound] = field(repr=False, compare=False)

    @cached_property
    def forget(self) -> pd.DataFrame:
        """The images to forget: all columns of the index, sorted by `image_id`."""
        return part_rows(self.index, self.membership.forget)

    @cached_property
    def remain(self) -> pd.DataFrame:
        """The images that remain: all columns of the index, sorted by `image_id`."""
        return part_rows(self.index, self.membership.remain)

    @cached_property
    def undetermined(self) -> pd.DataFrame:
        """The images that are used for neither: all columns of the index, sorted by `image_id`."""
        return part_rows(self.index, self.membership.undetermined)

    @cached_property
    def counts(self) -> PartCounts:
        """How many images, patients and classes each part has."""
        return PartCounts(self.answers, self.membership)

    @property
    def images(self) -> dict[str, int]:
        """How many images each part has."""
        return self.counts.images

    @property
    def patients(self) -> dict[str, int]:
        """How many different patients each part has; images without a patient count as no patient."""
        return self.counts.patients

    @property
    def patients_in_both(self) -> int:
        """How many patients have images in the forget part and in the remain part."""
        return self.counts.patients_in_both

    @cached_property
    def image_ids(self) -> dict[str, list[str]]:
        """The images of each part by their identifiers, sorted; a Python object for each, so slow for millions."""
        image = self.answers.image
        return {part: image_ids(image, mask).to_pylist() for part, mask in self.membership.items()}

    @cached_property
    def value_matches(self) -> tuple[ListMatch, ...]:
        """Which values of each list of the spec occur in the index; found when they are first asked for.

        Raises:
            IndexReadError: The index cannot be read.
        """
        return matches_of(self.spec, self.index, self.question)

    @property
    def value_lists(self) -> list[dict[str, Any]]:
        """How many values of each list of the spec occur in the index, as plain values: counts, never a value."""
        return [match.to_dict() for match in self.value_matches]

    def image_table(self, rule: SplitRule | None = None) -> pd.DataFrame:
        """Return one row per image: `image_id`, `path`, `patient`, `part`, `split` and `label`; see `datalist.py`.

        Args:
            rule: How patients are assigned to splits; by default `SplitRule()`.

        Raises:
            DataError: A `split` column of the index cannot be used.
        """
        from monai_unlearn.cohort.resolve.datalist import image_table

        label, names = self.index.label, ["image_id", "path", "patient"]
        names += [name for name in ("split", label) if name is not None and name in self.index.columns]
        frames = {part: part_rows(self.index, mask, names) for part, mask in self.membership.items()}
        return image_table(frames, label=label, rule=rule or SplitRule())

    def datalist(self, part: str, split: str, *, rule: SplitRule | None = None) -> list[dict[str, Any]]:
        """Return the images of one part and split as MONAI's datasets take them, ordered by `image_id`.

        Args:
            part: forget, remain or undetermined.
            split: train, validation or test.
            rule: How patients are assigned to splits; by default `SplitRule()`.

        Returns:
            `{"image": path, "label": class or None, "image_id": …, "patient": … or None}` for each image.

        Raises:
            DataError: The part or the split has another name, or a `split` column of the index cannot be used.
        """
        from monai_unlearn.cohort.resolve.datalist import datalist

        return datalist(self.image_table(rule), [part], split)

    @cached_property
    def passed_on(self) -> PassedOn:
        """The rules and the attrition as they may leave the site; see `passed_on.py`."""
        return PassedOn.of(self.spec, self.attrition, self.bound, label=self.index.label)

    @property
    def manifest(self) -> dict[str, Any]:
        """The cohort as plain values, in counts and digests: no identifier, no listed value."""
        return {
            "schema_version": SCHEMA_VERSION,
            "tool_version": __version__,
            "spec": self.passed_on.spec,
            "index_digest": self.index.digest,
            **self._counts(),
            "attrition": self.passed_on.attrition,
            "classes_emptied": self.counts.classes_emptied,
            "value_lists": self.value_lists,
            "variants": self.variants_passed_on,
            "warnings": self.warnings,
        }

    def preview(self) -> Preview:
        """Return counts, and spellings of fields that identify nobody, as plain values: nothing of a single patient.

        Notebooks show it as tables.
        """
        found = {
            "name": self.spec.name,
            "reason": self.spec.reason.value,
            "spec_digest": self.spec.digest,
            "index_digest": self.index.digest,
            **self._counts(),
            "classes": self.counts.classes,
            "classes_emptied": self.counts.classes_emptied,
            "strata": None if self.membership.strata is None else self.membership.strata.to_dict(),
            "value_lists": self.value_lists,
            "compared": [part.to_dict() for part in compared(self.spec.predicates, self.question.bound)],
            "variants": [entry.to_dict() for entry in self.variants],
            "notes": notes_of(self.answers),
            "warnings": self.warnings,
        }
        return Preview(found)

    def _repr_html_(self) -> str:
        """Return the preview as notebooks show it."""
        return self.preview()._repr_html_()

    @cached_property
    def variants(self) -> list[Variants]:
        """Other spellings of the values that the spec compares with; see `variants.py`."""
        return variants_of(self.index, self.question)

    @property
    def variant_counts(self) -> list[dict[str, Any]]:
        """How many other spellings each of these values has, and in how many images, as plain values."""
        return [entry.counts() for entry in self.variants]

    @property
    def variants_passed_on(self) -> list[dict[str, Any]]:
        """The same as they may leave the site: without values of columns whose content is not known."""
        label = self.index.label
        return [
            entry if may_stay(entry["field"], self.bound[entry["field"]], label) else {**entry, "value": "…"}
            for entry in self.variant_counts
        ]

    def _counts(self) -> dict[str, Any]:
        return {
            "images": self.images,
            "patients": self.patients,
            "patients_in_both": self.counts.patients_in_both,
            "attrition": [row.to_dict() for row in self.attrition],
        }

    @cached_property
    def notices(self) -> tuple[CohortWarning, ...]:
        """Warnings about the cohort: counts and names of classes, never a value of a single patient."""
        spec, index, question = self.spec, self.index, self.question
        found = warnings_of(
            self.counts,
            scope=spec.scope,
            sample=spec.sample,
            strata=self.membership.strata,
            kept_although_listed=kept_although_listed(spec, index, question, self.membership.forget),
            negated_lists=negated_lists(spec, index, question),
            parts_of_identifiers=parts_of_identifiers(spec, index, question),
        )
        return tuple(found)

    @property
    def warnings(self) -> list[str]:
        """The notices as sentences."""
        return [notice.text for notice in self.notices]
