"""An index and a cohort spec, as lists of items that MONAI's datasets take."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from monai_unlearn.cohort import Cohort, CohortSpec, SplitRule
from monai_unlearn.cohort.resolve.datalist import datalist, image_table
from monai_unlearn.cohort.resolve.item_columns import item_values
from monai_unlearn.cohort.resolve.resolve import with_pseudonyms
from monai_unlearn.data.earlier import Earlier, apart, find_earlier
from monai_unlearn.data.label_sets import label_sets, set_names
from monai_unlearn.data.pixel_digest import PixelCheck
from monai_unlearn.errors import ConfigError, DataError
from monai_unlearn.index import Index, usable_mask
from monai_unlearn.vocabulary.parts import PARTS, SPLITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from monai_unlearn.data.label_sets import LabelKey


@dataclass(frozen=True, kw_only=True)
class CohortData:
    """The images of each part and split, with classes as numbers.

    Attributes:
        frame: One row per image: `image_id`, `path`, `patient`, `part`, `split`, `label` and `class_index`, its class
            number from 0. Without a cohort, every image is in the part `remain`.
        class_names: The classes, in the order of their numbers; where an image may have several labels, all sets of
            them, see `label_sets.py`.
        split_rule: How patients were assigned to splits.
        index_digest: The digest of the index.
        cohort: The cohort, if there is a spec.
        pixels: Compares the files of images with the index, before they are used.
        earlier: The images that earlier revisions of the bundle forgot; they are not in `frame`, unless the cohort
            forgets them again.
        values: What items have beside their image, by `image_id`; empty without `columns`.
        labels: The labels, where an image may have several; empty where it has one class.
    """

    frame: pd.DataFrame
    class_names: tuple[str, ...]
    split_rule: SplitRule
    index_digest: str
    cohort: Cohort | None
    pixels: PixelCheck = field(default_factory=PixelCheck, repr=False, compare=False)
    earlier: Earlier = field(default_factory=Earlier, repr=False, compare=False)
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False, compare=False)
    labels: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The classes as the bundle names them: its labels, where an image may have several."""
        return self.labels or self.class_names

    def items(self, parts: Iterable[str] = PARTS, split: str = "train") -> list[dict[str, Any]]:
        """Return `{"image": path, "label": class number, "image_id": …, "row": …}` for each image.

        They are the items of `Cohort.datalist`, in the same order; `row` numbers them within this list, from 0. What
        `columns` of `open_data` name is in each of them too.

        Raises:
            DataError: A part or the split has another name.
        """
        return self._numbered(datalist(self.frame, parts, split))

    def earlier_items(self, part: str, split: str = "train") -> list[dict[str, Any]]:
        """Return the same for the images that an earlier revision forgot; `part` is one of `earlier.parts`."""
        frame = self.earlier.frame
        return self._numbered(datalist(frame[frame["part"] == part].assign(part="remain"), ["remain"], split))

    def _numbered(self, listed: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        numbers = {name: number for number, name in enumerate(self.class_names)}
        return [
            {
                "image": item["image"],
                "label": numbers[item["label"]],
                "image_id": item["image_id"],
                "row": row,
                **self.values.get(item["image_id"], {}),
            }
            for row, item in enumerate(listed)
        ]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of images by part, then split."""
        table = self.frame.groupby(["part", "split"]).size()
        return {part: {split: int(table.get((part, split), 0)) for split in SPLITS} for part in PARTS}


def open_data(  # noqa: PLR0913 - a config names each of these
    *,
    index_dir: str | Path,
    class_names: Sequence[str],
    cohort_spec: str | Path | None = None,
    split: Mapping[str, Any] | None = None,
    needs_cohort: bool = False,
    keyfile: str | Path | None = None,
    bundle_root: str | Path | None = None,
    lineage_members: str | Path | None = None,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    label_key: LabelKey | None = None,
) -> CohortData:
    """Open an index, resolve a cohort on it, and assign its images to splits.

    Args:
        index_dir: What `monai-unlearn index build --out` wrote.
        class_names: The bundle's classes, in the order of its network's outputs.
        cohort_spec: A cohort spec, or None to take every image as `remain`.
        split: Arguments of `SplitRule`.
        needs_cohort: Whether there must be a spec.
        keyfile: The site's key: of a pseudonymised index, where the spec lists plain identifiers, and of what earlier
            revisions of the bundle forgot.
        bundle_root: The bundle, whose earlier revisions' cohorts are left out; None leaves out nothing.
        lineage_members: What they forgot; see `find_earlier`.
        columns: Columns of the index that fill keys of items beside `image`: a column of texts, such as the paths of
            masks, or a list of columns of numbers; see `item_values`.
        label_key: Where the labels of an image are, if it may have several of `class_names`; see `label_sets`. None
            where it has one class, which is in the column that the index names.

    Raises:
        InputError: The index, the spec, a label or the split cannot be used; the message says which.
    """
    _check_set(index_dir=index_dir, class_names=class_names, cohort_spec=cohort_spec or not needs_cohort)
    index = Index.open(index_dir)
    _check_labelled(index, label_key)
    # A plain index has nothing to hash in a spec: there the key is that of earlier revisions alone.
    pseudonyms_of = keyfile if index.pseudonyms is not None else None
    spec = None if not cohort_spec else with_pseudonyms(CohortSpec.read(Path(cohort_spec)), index, pseudonyms_of)
    cohort = None if spec is None else spec.resolve(index)
    rule, pixels = SplitRule(**(split or {})), PixelCheck.of(index)
    table = image_table(_remaining(index), label=index.label, rule=rule) if cohort is None else cohort.image_table(rule)
    labels = () if label_key is None else tuple(class_names)
    classes = set_names(labels) if labels else tuple(class_names)
    table = _with_classes(table, index, classes, labels, label_key)
    earlier = find_earlier(index, pixels, bundle_root=bundle_root, lineage_members=lineage_members, keyfile=keyfile)
    frame, earlier = apart(table, earlier)
    return CohortData(
        frame=frame,
        class_names=classes,
        split_rule=rule,
        index_digest=index.digest,
        cohort=cohort,
        pixels=pixels,
        earlier=earlier,
        values=_values(index, {*frame["image_id"], *earlier.frame.get("image_id", ())}, columns or {}),
        labels=labels,
    )


def _check_set(**settings: object) -> None:
    for name, value in settings.items():
        if not value:
            raise ConfigError(f"{name} is not set. Give it on the command line: --{name} …")


def _check_labelled(index: Index, label_key: LabelKey | None) -> None:
    if index.label is None and label_key is None:
        raise DataError(
            f"the index {index.directory} does not say which column holds the class. "
            "Run `monai-unlearn index build … --label FIELD` again."
        )


def _with_classes(
    table: pd.DataFrame, index: Index, classes: tuple[str, ...], labels: tuple[str, ...], label_key: LabelKey | None
) -> pd.DataFrame:
    """Return a table of images with the class of each, by name and number."""
    if label_key is None:
        return table.assign(class_index=_class_numbers(table["label"], classes, str(index.label)))
    numbers = label_sets(index, labels, label_key, table["image_id"]).to_numpy()
    return table.assign(label=np.array(classes, dtype=object)[numbers], class_index=numbers)


def _values(
    index: Index, image_ids: set[str], columns: Mapping[str, str | Sequence[str]]
) -> dict[str, Mapping[str, Any]]:
    """Return what items have beside their image, by `image_id`, for these images."""
    if not columns:
        return {}
    frame = index.frame()
    rows = frame[frame["image_id"].isin(image_ids)].astype(object)
    found = ({str(name): value for name, value in row.items()} for row in rows.to_dict("records"))
    return {str(row["image_id"]): item_values(row, columns) for row in found}


def _remaining(index: Index) -> dict[str, pd.DataFrame]:
    """Return the readable images of an index as the part `remain`, sorted by `image_id`."""
    frame = index.frame()
    return {"remain": frame[usable_mask(frame)].sort_values("image_id")}


def _class_numbers(labels: pd.Series[Any], class_names: tuple[str, ...], field: str) -> pd.Series[int]:
    """Map labels to class numbers; a label that is not a class raises instead of being dropped."""
    numbers = labels.astype("object").map({name: number for number, name in enumerate(class_names)})
    if others := int(numbers.isna().sum()):
        raise DataError(
            f"the column '{field}' is empty or not a class of the bundle for {others} of {len(labels)} images; "
            f"the classes are {', '.join(class_names)}. Leave the others out by the spec "
            f"(population: {field} in [{', '.join(class_names)}]), or fix the table."
        )
    return numbers.astype(int)
