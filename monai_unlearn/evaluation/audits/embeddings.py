"""Embeddings: a picture of the features of the original, the revised and a retrained network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn.evaluation.audits.audit import Audit, Audited, Cost
from monai_unlearn.evaluation.audits.figure import Finding, not_measurable, skipped
from monai_unlearn.evaluation.prediction_table import SLICE
from monai_unlearn.staging import staged_file
from monai_unlearn.vocabulary.run_folder import LINKED_POINTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd

    Array = npt.NDArray[np.float64]
    Ids = npt.NDArray[np.int64]

FILE = "embeddings.png"
MOST, FEWEST = 200, 30
"""Images of the picture: as many as the time allows."""
SECONDS_A_POINT = 0.005
"""What t-SNE takes on a slow core, for one point of one network."""
SUBSETS = ("forget_train", "forget_test", "remain_test")
PERPLEXITY = 30.0
NEIGHBOURS = 5
"""Images beside which each image lies: t-SNE keeps neighbours, and neither distances nor sizes."""
# Okabe and Ito 2008: told apart with any colour vision; more classes repeat them.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")
MARKERS = {"forget": "^", "remain": "o"}
TITLES = {"original": "original", "revised": "revised", "reference": "retrained"}


def measure(audited: Audited) -> Finding:
    """Draw a t-SNE of each network's penultimate features (van der Maaten and Hinton 2008, JMLR 9:2579).

    The same images in each picture: half of the forget part, half of remain. Distances between clusters and the sizes
    of clusters mean nothing; what may be compared is whether forget images lie among others as in the retrained
    network.
    """
    if audited.plots is None:
        return not_measurable("There is no folder for a picture.")
    names = _shown(audited)
    most = int(min(MOST, audited.seconds_left() / (SECONDS_A_POINT * len(names))))
    if most < FEWEST:
        return skipped("The seconds that audits may take were spent before a picture could be drawn.")
    rows = _images(audited, most)
    if len(rows) < FEWEST:
        return not_measurable(f"There are {len(rows)} images to draw; {FEWEST} are needed.")
    points = {name: coordinates(audited.of_run.features(name, rows), seed=audited.seed) for name in names}
    parts = np.array([str(place).split("_")[0] for place in audited.places[rows]], dtype=object)
    path = audited.plots / FILE
    plot(path, points, classes=audited.labels[rows], parts=parts, class_names=audited.table.class_names)
    write_linked(audited.plots / LINKED_POINTS, points, audited.table.frame.iloc[rows])
    return Finding(
        facts={
            "file": f"{path.parent.name}/{FILE}",
            "images": len(rows),
            "networks": list(names),
            "points": {name: listed(found, audited.labels[rows], parts) for name, found in points.items()},
            "groups": {name: groups(found, audited.labels[rows], parts) for name, found in points.items()},
        }
    )


def listed(found: Array, classes: Ids, parts: Any) -> list[list[float | int]]:  # noqa: ANN401 - an array of strings
    """Return the points as `[x, y, number of the class, 1 for forget]`, x and y in [0, 1] of the panel.

    In the order of their places, so that no point can be traced to its image.

    Args:
        found: The coordinates, shape (image, 2).
        classes: The number of each image's class, shape (image,).
        parts: The part of each image, shape (image,).
    """
    rows = zip(_in_panel(found).tolist(), classes.tolist(), (parts == "forget").tolist(), strict=True)
    return sorted([x, y, number, int(forget)] for (x, y), number, forget in rows)


def write_linked(path: Path, points: Mapping[str, Array], frame: pd.DataFrame) -> None:
    """Write where each network places the same images: unlike the card, the evidence stays with them.

    A row an image, without its id: `part`, `label`, the slices of `predictions.parquet`, and for each network
    `x:NETWORK` and `y:NETWORK` in [0, 1] of its panel.

    Args:
        path: The Parquet file; its folder exists.
        points: The coordinates by network, each of shape (image, 2).
        frame: The images' rows of the table of predictions.
    """
    names = [str(name) for name in frame if name in {"part", "label"} or str(name).startswith(SLICE)]
    columns = {name: frame[name].tolist() for name in names}
    for name, found in points.items():
        for axis, values in zip(("x", "y"), _in_panel(found).T, strict=True):
            columns[f"{axis}:{name}"] = values.tolist()
    with staged_file(path) as aside:
        pq.write_table(pa.table(columns), aside)


def _in_panel(found: Array) -> Array:
    low, high = found.min(0), found.max(0)
    return np.asarray(np.round((found - low) / np.maximum(high - low, 1e-12), 3))


def groups(found: Array, classes: Ids, parts: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - an array of strings
    """Return what the picture shows in figures: beside which images those of each class and part lie.

    Args:
        found: The coordinates, shape (image, 2).
        classes: The number of each image's class, shape (image,).
        parts: The part of each image, shape (image,).

    Returns:
        For each class and part, the forgotten ones first: `class`, `part`, `images`, and of the `NEIGHBOURS` images
        nearest to each of them, the shares with its class, `same_class`, and of the forget part, `forgotten`.
    """
    apart = ((found[:, None] - found[None]) ** 2).sum(2)
    np.fill_diagonal(apart, np.inf)
    nearest = apart.argsort(1, kind="stable")[:, :NEIGHBOURS]
    rows = []
    for part in MARKERS:
        for number in np.unique(classes).tolist():
            of = (classes == number) & (parts == part)
            if of.any():
                same, forgotten = (classes[nearest[of]] == number).mean(), (parts[nearest[of]] == "forget").mean()
                shares = {"same_class": float(same), "forgotten": float(forgotten)}
                rows.append({"class": number, "part": part, "images": int(of.sum()), **shares})
    return rows


def coordinates(features: Array, *, seed: int) -> Array:
    """Return two coordinates of each image, shape (image, 2), from standardised features of shape (image, feature)."""
    from sklearn.manifold import TSNE
    from sklearn.preprocessing import StandardScaler

    perplexity = min(PERPLEXITY, (len(features) - 1) / 3)
    scaled = StandardScaler().fit_transform(features)
    picture = TSNE(perplexity=perplexity, init="random", random_state=seed, max_iter=500)
    return np.asarray(picture.fit_transform(scaled), dtype=np.float64)


def plot(path: Path, points: dict[str, Array], *, classes: Ids, parts: Any, class_names: tuple[str, ...]) -> None:  # noqa: ANN401 - an array of strings
    """Write the picture: a panel for each network, a colour for each class, a marker for each part.

    Args:
        path: The PNG file; its folder is created.
        points: The coordinates by network, each of shape (image, 2).
        classes: The number of each image's class, shape (image,).
        parts: The part of each image, shape (image,).
        class_names: The classes.
    """
    from matplotlib.figure import Figure as Drawing

    drawing = Drawing(figsize=(3.4 * len(points), 4.0), layout="constrained")
    panels = np.atleast_1d(drawing.subplots(1, len(points)))
    for panel, (name, found) in zip(panels, points.items(), strict=True):
        for part, marker in MARKERS.items():
            for number in np.unique(classes):
                of = (classes == number) & (parts == part)
                colour = COLOURS[number % len(COLOURS)]
                filled = colour if part == "forget" else "none"
                label = f"{class_names[number]}, {part}"
                panel.scatter(*found[of].T, s=18, marker=marker, facecolors=filled, edgecolors=colour, label=label)
        panel.set(xticks=[], yticks=[], title=TITLES.get(name.partition("_")[0], name))
    drawing.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=min(4, 2 * len(class_names))
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    drawing.savefig(temporary, format="png", dpi=110)
    temporary.replace(path)


def _shown(audited: Audited) -> tuple[str, ...]:
    return (audited.original, audited.revised, *audited.retrained[:1])


def _images(audited: Audited, most: int) -> Ids:
    """Return at most so many rows, up to half of them of the forget part, in their order."""
    forget = audited.sample(most // 2, *SUBSETS[:2])
    return np.sort(np.concatenate([forget, audited.sample(most - len(forget), SUBSETS[2])]))


def cost(audited: Audited) -> Cost:
    """Return what the smallest picture takes."""
    networks = len(_shown(audited))
    return Cost(passes=FEWEST * networks, seconds=SECONDS_A_POINT * FEWEST * networks)


EMBEDDINGS = Audit(
    name="embeddings",
    description=(
        "a picture of the features before the last layer (t-SNE), in the evidence: forget images should lie among the "
        "others as they do in the retrained network"
    ),
    measure=measure,
    cost=cost,
)
