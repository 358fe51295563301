"""The features of all networks side by side: the same images in each, with what may be said of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from monai_unlearn.card.html.plots.scatter import COLOURS, scatter
from monai_unlearn.card.html.sections.real import NETWORKS
from monai_unlearn.card.wording import words
from monai_unlearn.evaluation.prediction_table import SLICE
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_PARTS = {"forget": "forgotten", "remain": "kept"}
_UNKNOWN = "unknown"


def features(bundle: Path, class_names: Sequence[str]) -> dict[str, Any] | None:
    """Return the features of all networks, and of each image its number, part, class and subgroups.

    The card cannot show this: its points are sorted, so that none can be traced to its image. What links them lies in
    the evidence of the run; a bundle that came without it has none.

    Args:
        bundle: The bundle. The evidence of its run lies beside it, where the run left it.
        class_names: The classes, in the order of the network's outputs.

    Raises:
        ValueError: The file is none that a run wrote.
        KeyError: It has other classes.
    """
    path = RunFolder(bundle.parent).embeddings
    if not path.is_file():
        return None
    found = pq.read_table(path).to_pydict()
    images = _images(found)
    numbers = {name: number for number, name in enumerate(class_names)}
    marked = [(numbers[label], part == "forget") for label, part in zip(found["label"], found["part"], strict=True)]
    names = [name.removeprefix("x:") for name in found if name.startswith("x:")]
    panels = []
    for number, name in enumerate(names):
        kind = NETWORKS.get(name.partition("_")[0], name)
        places = zip(found[f"x:{name}"], found[f"y:{name}"], marked, strict=True)
        plot = scatter(
            [(x, y, label, int(forget)) for x, y, (label, forget) in places],
            name=f"linked-{number}",
            title=f"Features of the {kind} network",
            description=f"Features of {len(images)} images; distances between clusters mean nothing.",
        )
        panels.append((kind, plot))
    legend = [(f"class-{number % COLOURS}", words(name)) for number, name in enumerate(class_names)]
    shown = {"panels": panels, "count": len(images), "legend": legend}
    return {**shown, "images": json.dumps(images), "filters": _filters(images)}


def _images(found: Mapping[str, Sequence[Any]]) -> list[dict[str, str]]:
    """Return what may be said of each image, in words."""
    said = {
        "part": [_PARTS[part] for part in found["part"]],
        "class": [words(label) for label in found["label"]],
        **{
            name.removeprefix(SLICE): [_UNKNOWN if value is None else str(value) for value in values]
            for name, values in found.items()
            if name.startswith(SLICE)
        },
    }
    return [dict(zip(said, values, strict=True)) for values in zip(*said.values(), strict=True)]


def _filters(images: Sequence[Mapping[str, str]]) -> list[tuple[str, str, list[str]]]:
    """Return the fields by which points are filtered: name, words, and values."""
    names = images[0] if images else {}
    return [(name, words(name).capitalize(), sorted({image[name] for image in images})) for name in names]
