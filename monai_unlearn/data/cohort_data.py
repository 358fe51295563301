"""An index and a cohort spec, as lists of items that MONAI's datasets take."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from monai_unlearn.cohort import Cohort, CohortSpec, SplitRule
from monai_unlearn.errors import ConfigError, DataError, did_you_mean
from monai_unlearn.index import Index, usable_mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


PARTS = ("forget", "remain", "undetermined")
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class CohortData:
    """The images of each part and split, with classes as numbers.

    `frame` has one row an image with the columns `image_id`, `path`, `patient`, `part`, `split` and
    `class_index`. Without a cohort every image is in the part `remain`.
    """

    frame: pd.DataFrame
    class_names: tuple[str, ...]
    split_rule: SplitRule
    index_digest: str
    cohort: Cohort | None

    def items(self, parts: Iterable[str] = PARTS, split: str = "train") -> list[dict[str, Any]]:
        """Return `{"image": path, "label": class number, "image_id": …, "row": …}` of each image.

        `row` numbers the images within this list, from 0.

        Raises:
            ConfigError: A part or split of another name is asked for.
        """
        wanted = tuple(parts)
        for word, known in [*((part, PARTS) for part in wanted), (split, SPLITS)]:
            if word not in known:
                raise ConfigError(f"expected one of {', '.join(known)}, got '{word}'.{did_you_mean(word, known)}")
        chosen = self.frame[self.frame["part"].isin(wanted) & (self.frame["split"] == split)]
        columns = zip(chosen["path"], chosen["class_index"], chosen["image_id"], strict=True)
        return [
            {"image": path, "label": int(label), "image_id": image_id, "row": row}
            for row, (path, label, image_id) in enumerate(columns)
        ]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of images by part, then split."""
        table = self.frame.groupby(["part", "split"]).size()
        return {part: {split: int(table.get((part, split), 0)) for split in SPLITS} for part in PARTS}


def open_data(
    *,
    index_dir: str | Path,
    class_names: Sequence[str],
    cohort_spec: str | Path | None = None,
    split: Mapping[str, Any] | None = None,
    needs_cohort: bool = False,
) -> CohortData:
    """Open an index, resolve a cohort on it, and deal its images to splits.

    Args:
        index_dir: What `monai-unlearn index build --out` wrote.
        class_names: The bundle's classes, in the order of its network's outputs.
        cohort_spec: A cohort spec, or nothing to take every image as `remain`.
        split: Arguments of `SplitRule`.
        needs_cohort: Whether there must be a spec.

    Raises:
        InputError: The index, the spec, a label or the split cannot be used; the message says which.
    """
    needed = {"index_dir": index_dir, "class_names": class_names}
    for name, value in {**needed, "cohort_spec": cohort_spec or not needs_cohort}.items():
        if not value:
            raise ConfigError(f"{name} is not set. Give it on the command line: --{name} …")
    index = Index.open(index_dir)
    if index.label is None:
        raise DataError(
            f"the index {index.directory} does not say which column holds the class. "
            "Run `monai-unlearn index build … --label FIELD` again."
        )
    cohort = CohortSpec.read(Path(cohort_spec)).resolve(index) if cohort_spec else None
    rule = SplitRule(**(split or {}))
    frame = _gather(index, cohort)
    frame = frame.assign(
        split=rule.assign(frame), class_index=_classes(frame[index.label], tuple(class_names), index.label)
    )
    return CohortData(
        frame=frame[["image_id", "path", "patient", "part", "split", "class_index"]].reset_index(drop=True),
        class_names=tuple(class_names),
        split_rule=rule,
        index_digest=index.digest,
        cohort=cohort,
    )


def _gather(index: Index, cohort: Cohort | None) -> pd.DataFrame:
    if cohort is not None:
        frames = dict(zip(PARTS, (cohort.forget, cohort.remain, cohort.undetermined), strict=True))
        return pd.concat([frame.assign(part=part) for part, frame in frames.items() if len(frame)])
    frame = index.frame()
    chosen: pd.DataFrame = frame[usable_mask(frame)].sort_values("image_id").assign(part="remain")
    return chosen


def _classes(labels: pd.Series[Any], class_names: tuple[str, ...], field: str) -> pd.Series[int]:
    """Map labels to class numbers; a label that is no class is never dropped silently."""
    numbers = labels.astype("object").map({name: number for number, name in enumerate(class_names)})
    if strangers := int(numbers.isna().sum()):
        raise DataError(
            f"the column '{field}' is empty or no class of the bundle for {strangers} of {len(labels)} images; "
            f"the classes are {', '.join(class_names)}. Leave the others out by the spec "
            f"(population: {field} in [{', '.join(class_names)}]), or mend the table."
        )
    return numbers.astype(int)
