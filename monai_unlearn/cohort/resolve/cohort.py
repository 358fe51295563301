"""The three parts that a spec makes of an index, with how they came about."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from monai_unlearn import __version__
from monai_unlearn.cohort.language.source import shown
from monai_unlearn.cohort.resolve.split import Split, SplitRule
from monai_unlearn.cohort.spec.document import Scope
from monai_unlearn.errors import DataError, did_you_mean
from monai_unlearn.index import Index, usable_mask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from monai_unlearn.cohort.query.answers import Answers, CategoricalColumn, Mask
    from monai_unlearn.cohort.resolve.attrition import AttritionRow
    from monai_unlearn.cohort.resolve.strata import Strata
    from monai_unlearn.cohort.spec.spec import CohortSpec

PARTS = ("forget", "remain", "undetermined")
SCHEMA_VERSION = 1
NO_LABEL = "(no label)"


@dataclass(frozen=True)
class Membership:
    """Which rows of an index are in which part, one entry a row in each mask; no row is in two.

    Attributes:
        forget: The images to forget.
        remain: The images that remain.
        undetermined: The images that are used for neither.
        strata: What a stratified sample drew of the first; None for every other spec.
    """

    forget: Mask
    remain: Mask
    undetermined: Mask
    strata: Strata | None = None

    def items(self) -> Iterator[tuple[str, Mask]]:
        """Yield the parts' names and masks."""
        yield from ((part, getattr(self, part)) for part in PARTS)


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """A spec resolved on an index.

    The parts are disjoint, and together they are the readable images of the spec's population.

    Attributes:
        spec: What was asked.
        index: What it was asked of.
        attrition: From all rows of the index to the forget part, rule by rule.
        answers: What each rule said of each row.
        membership: Which row is in which part.
    """

    spec: CohortSpec
    index: Index
    attrition: tuple[AttritionRow, ...]
    answers: Answers = field(repr=False, compare=False)
    membership: Membership = field(repr=False, compare=False)

    @property
    def forget(self) -> pd.DataFrame:
        """The images to forget: all columns of the index, sorted by `image_id`."""
        return self._frames["forget"]

    @property
    def remain(self) -> pd.DataFrame:
        """The images that remain: all columns of the index, sorted by `image_id`."""
        return self._frames["remain"]

    @property
    def undetermined(self) -> pd.DataFrame:
        """The images that are used for neither: all columns of the index, sorted by `image_id`."""
        return self._frames["undetermined"]

    @cached_property
    def images(self) -> dict[str, int]:
        """How many images each part has."""
        return {part: int(mask.sum()) for part, mask in self.membership.items()}

    @cached_property
    def patients(self) -> dict[str, int]:
        """How many different patients each part has; images without a patient count for none."""
        return {part: self.answers.units["patient"].distinct(mask) for part, mask in self.membership.items()}

    @cached_property
    def patients_in_both(self) -> int:
        """How many patients have images in the forget part and in the remain part."""
        return int(self._is_split.sum())

    @cached_property
    def split_patients(self) -> list[str]:
        """The patients who have images in the forget part and in the remain part, by their identifiers, sorted.

        They are for the manifest, which holds identifiers; what is shown or logged only counts them.
        """
        return sorted(self.answers.units["patient"].chosen(self._is_split))

    @property
    def _is_split(self) -> Mask:
        patients = self.answers.units["patient"]
        return patients.among(self.membership.forget) & patients.among(self.membership.remain)

    @cached_property
    def classes(self) -> dict[str, dict[str, int]]:
        """How many images of each class each part has; empty where the index has no classes."""
        label = self.answers.label
        if label is None:
            return {}
        counts = {part: _by_value(label, mask) for part, mask in self.membership.items()}
        names = sorted({name for table in counts.values() for name in table}, key=lambda name: (name == NO_LABEL, name))
        return {name: {part: counts[part].get(name, 0) for part in PARTS} for name in names}

    @cached_property
    def classes_emptied(self) -> list[str]:
        """The classes of the cohort that have no image in the remain part, sorted."""
        return [name for name, counts in self.classes.items() if name != NO_LABEL and not counts["remain"]]

    @cached_property
    def image_ids(self) -> dict[str, list[str]]:
        """The images of each part by their identifiers, sorted."""
        image = self.answers.image
        return {part: sorted(image.chosen(image.among(mask))) for part, mask in self.membership.items()}

    def datalist(self, part: str, split: str, *, rule: SplitRule | None = None) -> list[dict[str, Any]]:
        """Return the images of one part and split, as MONAI's datasets take them.

        Args:
            part: forget, remain or undetermined.
            split: train, validation or test.
            rule: How patients are dealt to splits; by default `SplitRule()`.

        Returns:
            `{"image": path, "label": class or None, "image_id": …, "patient": … or None}` each, by `image_id`.

        Raises:
            DataError: No part or split has that name, or a `split` column of the index cannot be used.
        """
        from pandas import notna

        for word, known in ((part, PARTS), (split, tuple(member.value for member in Split))):
            if word not in known:
                raise DataError(f"expected one of {', '.join(known)}, got '{word}'.{did_you_mean(word, known)}")
        # Dealt over all parts at once: a patient in two parts must be seen whole.
        splits = (rule or SplitRule()).assign(self._used)
        frame = self._used[(self._used["part"] == part) & (splits == split)]
        chosen = frame.rename(columns={"path": "image"}).astype(object)
        items = chosen[["image", "image_id", "patient"]].assign(
            label=chosen[self.index.label] if self.index.label else None
        )
        return [
            {str(key): value if notna(value) else None for key, value in item.items()}
            for item in items.to_dict("records")
        ]

    @property
    def manifest(self) -> dict[str, Any]:
        """The cohort as plain values: what was asked, of what, and which images came out."""
        return {
            "schema_version": SCHEMA_VERSION,
            "tool_version": __version__,
            "spec": {"digest": self.spec.digest, "content": self.spec.to_dict()},
            "index_digest": self.index.digest,
            **self._counts(),
            "classes_emptied": self.classes_emptied,
            "warnings": self.warnings,
            "split_patients": self.split_patients,
            "image_ids": self.image_ids,
        }

    def preview(self) -> dict[str, Any]:
        """Return counts alone, as plain values: nothing in them belongs to one patient."""
        return {
            "name": self.spec.name,
            "reason": self.spec.reason.value,
            "spec_digest": self.spec.digest,
            "index_digest": self.index.digest,
            **self._counts(),
            "classes": self.classes,
            "classes_emptied": self.classes_emptied,
            "strata": None if self.membership.strata is None else self.membership.strata.to_dict(),
            "warnings": self.warnings,
        }

    def _counts(self) -> dict[str, Any]:
        return {
            "images": self.images,
            "patients": self.patients,
            "patients_in_both": self.patients_in_both,
            "attrition": [row.to_dict() for row in self.attrition],
        }

    @cached_property
    def warnings(self) -> list[str]:
        """What to look at twice: counts and names of classes, nothing that belongs to one patient."""
        return [*self._part_warnings(), *self._class_warnings(), *self._sample_warnings()]

    def _part_warnings(self) -> Iterator[str]:
        if self.images["undetermined"]:
            yield f"{self.images['undetermined']} images are undetermined and used for neither part."
        if self.patients_in_both:
            yield f"{self.patients_in_both} patients have images in the forget part and in the remain part."
        nameless = self.membership.remain & (self.answers.units["patient"].codes < 0)
        if nameless.any():
            yield f"{int(nameless.sum())} images of the remain part name no patient: they may be of a forgotten one."

    def _class_warnings(self) -> Iterator[str]:
        for name in self.classes_emptied:
            yield f"The class {shown(name)} has no image left in the remain part."

    def _sample_warnings(self) -> Iterator[str]:
        sample, strata = self.spec.sample, self.membership.strata
        if sample is None:
            return
        found = self.images["forget"] if sample.by == "image" else self.patients["forget"]
        if sample.count is not None and found < sample.count:
            yield f"The sample asks for {sample.count} ({sample.by}), but the rules catch only {found}."
        if sample.by == "image" and self.spec.scope is not Scope.IMAGE:
            yield f"The sample by image takes apart what scope: {self.spec.scope.value} keeps together."
        if strata is not None and strata.empty:
            yield f"The sample draws nothing of {strata.empty} of its {strata.count} strata."
        if strata is not None and strata.images_without_value:
            fields = " and ".join(sample.stratify or ())
            yield (
                f"{strata.images_without_value} images that the sample draws from have no value of {fields}: "
                "what is missing counts as a value, and makes strata of its own."
            )

    @cached_property
    def _used(self) -> pd.DataFrame:
        from pandas import concat

        return concat([frame.assign(part=part) for part, frame in self._frames.items()], ignore_index=True)

    @cached_property
    def _frames(self) -> Mapping[str, pd.DataFrame]:
        frame = self.index.frame()
        frame = frame[usable_mask(frame)].sort_values("image_id", ignore_index=True)
        return {part: frame[frame["image_id"].isin(ids)].reset_index(drop=True) for part, ids in self.image_ids.items()}


def _by_value(column: CategoricalColumn, mask: Mask) -> dict[str, int]:
    import numpy as np

    counts = np.bincount(column.codes[mask] + 1, minlength=len(column.names) + 1).tolist()
    return {name: count for name, count in zip((NO_LABEL, *column.names), counts, strict=True) if count}
