"""The images of each subset (part and split) as MONAI data sets, each decoded and preprocessed once."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.cache_folder import check_outside
from monai_unlearn.data.free_memory import AUTO
from monai_unlearn.data.held import hold
from monai_unlearn.data.shared_images import SharedImages

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch.utils.data import Dataset

    from monai_unlearn.data.cohort_data import CohortData

# The one subset that may be as large as an archive, and of which a run may draw few images.
_LAZY = ("remain", "train")


def subset_datasets(
    *,
    data: CohortData,
    transform: Callable[[Any], Any],
    parts: Sequence[str] = ("forget", "remain"),
    splits: Sequence[str] = ("train", "test"),
    memory: int | str = AUTO,
    cache_dir: str | Path | None = None,
    output_dir: str | Path | None = None,
) -> dict[tuple[str, str], Dataset[Any]]:
    """Return a data set for each (part, split); no image is decoded unless all are the files that were indexed.

    They are held in memory where they fit half of what is free, all together and each as large as the first;
    otherwise on disk, from where processes that load batches read them too. Items are equal either way, bit for bit,
    and so are weights. Images on disk have one shape.

    All are decoded at the start, but those of remain / train: each of them is decoded when it is first needed, or when
    `PairedLoader.read_drawn` asks for it.

    What earlier revisions of the bundle forgot has subsets of its own, `("earlier:0.2.0", split)`, where there is any.

    Args:
        data: The images of the cohort.
        transform: Deterministic preprocessing of items; no augmentation.
        parts: The parts to read.
        splits: The splits to read.
        memory: How much they may take: `auto` for half of what is free; or a number of bytes, or a text such as `2 GB`.
        cache_dir: The folder in which decoded images are kept if they do not fit, in a folder of their own with
            permissions 0700 that is removed at the end; by default the one that `output_dir` is in, or else the
            system's for temporary files.
        output_dir: Where the results of the run go: decoded images are never kept there.

    Raises:
        InputError: A part or split is unknown, a file is not the one that was indexed or cannot be decoded, or there
            is no room.
    """
    where = _cache_dir(cache_dir, output_dir)
    items = {(part, split): data.items([part], split) for part, split in itertools.product(parts, splits)}
    earlier = itertools.product(data.earlier.parts, splits)
    found = {(part, split): data.earlier_items(part, split) for part, split in earlier}
    items |= {subset: images for subset, images in found.items() if images}
    # Images of the lazy subset that come from an archive on demand come when they are read.
    data.pixels.check(itertools.chain.from_iterable(items.values()), bring=False)
    shared = SharedImages.of(transform, pixels=data.pixels, cache_dir=cache_dir)
    subsets = hold(items, transform, pixels=data.pixels, memory=memory, cache_dir=where, shared=shared)
    for subset, images in subsets.items():
        if subset != _LAZY:
            images.read()
    return dict(subsets)


def _cache_dir(cache_dir: str | Path | None, output_dir: str | Path | None) -> Path | None:
    if cache_dir:
        if output_dir:
            check_outside(Path(cache_dir), Path(output_dir))
        return Path(cache_dir)
    return Path(output_dir).absolute().parent if output_dir else None
