"""Objects derived from images, such as segmentations and reports: no images of a cohort, unless the user wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.row_faults import has_fault, without_fault
from monai_unlearn.vocabulary.sop_classes import (
    DERIVED_MODALITIES,
    IMAGE_LIKE_MODALITIES,
    derived_classes,
    is_image_like,
)

if TYPE_CHECKING:
    from collections.abc import Collection


def with_image_like(rows: pa.Table, *, sop_classes: str = "SOPClassUID") -> pa.Table:
    """Return rows in which derived objects that have pixels, such as segmentations, count as images.

    Args:
        rows: The rows, in which every derived object has the fault `derived_object`.
        sop_classes: The column of the SOP classes.
    """
    which = pc.and_(has_fault(rows, Fault.DERIVED_OBJECT), pc.is_in(rows[sop_classes], _array(_image_like())))
    return without_fault(rows, which, Fault.DERIVED_OBJECT)


def derived_rows(rows: pa.Table, *, included: bool) -> pa.ChunkedArray | pa.Array:
    """Return which rows of a table are derived objects that do not count as images, as Booleans without nulls.

    The SOP class decides; where a row has none, or the table has no such column, the modality does.

    Args:
        rows: The rows, with `SOPClassUID`, `Modality`, both or neither.
        included: Whether derived objects that have pixels count as images.
    """
    empty = pa.nulls(rows.num_rows, pa.string())
    classes, modalities = (
        rows[name].cast(pa.string()) if name in rows.column_names else empty for name in ("SOPClassUID", "Modality")
    )
    by_class = pc.is_in(classes, _array([uid for uid in derived_classes() if not (included and is_image_like(uid))]))
    left_out = DERIVED_MODALITIES - (IMAGE_LIKE_MODALITIES if included else frozenset())
    by_modality = pc.and_(pc.is_null(classes), pc.is_in(modalities, _array(sorted(left_out))))
    return pc.or_(by_class, by_modality)


def _image_like() -> Collection[str]:
    return [uid for uid in derived_classes() if is_image_like(uid)]


def _array(texts: Collection[str]) -> pa.Array:
    return pa.array(list(texts), pa.string())
