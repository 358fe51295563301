"""What every network of a run predicted, as the table that the verdict is computed from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from monai_unlearn.evaluation import Network, PredictionTable
from monai_unlearn.evaluation.label_states import states
from monai_unlearn.evaluation.prediction_table import AS_TRAINED, RECALIBRATED
from monai_unlearn.evaluation.slices import slice_columns
from monai_unlearn.vocabulary.parts import is_earlier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from monai_unlearn.data import CohortData
    from monai_unlearn.engine.reference import Reference
    from monai_unlearn.evaluation import SubsetPredictions
    from monai_unlearn.evaluation.predictors import Proxy

COLUMNS = ["image_id", "patient", "part", "split", "label"]

ORIGINAL, REVISED, REFERENCE = "original", "revised", "reference"


def reference_name(number: int) -> str:
    """Return the name of a retrained reference, counted from 1."""
    return REFERENCE if number == 1 else f"{REFERENCE}_{number}"


def listed(
    names: Iterable[str],
    *,
    original_seed: int | None,
    seed: int,
    references: Sequence[Reference],
    proxies: Sequence[Proxy] = (),
) -> tuple[Network, ...]:
    """Return what a table of predictions says of each network of a run, in the order of their names.

    Args:
        names: `original`, `revised`, the controls of both, the references as `reference_name` numbers them, and the
            proxies.
        original_seed: The seed that the original was trained with, if known.
        seed: The run's seed.
        references: The references, in their order.
        proxies: What stands in for them.
    """
    known = {
        ORIGINAL: Network(name=ORIGINAL, role="original", seed=original_seed),
        REVISED: Network(name=REVISED, role="revised", seed=seed),
    }
    for number, one in enumerate(references, 1):
        name = reference_name(number)
        known[name] = Network(name=name, role="reference", seed=one.seed, recorded=bool(one.record))
    for proxy in proxies:
        known[proxy.name] = Network(name=proxy.name, role="proxy", seed=proxy.seed, predictor=proxy.predictor)
    for name in (ORIGINAL + RECALIBRATED, REVISED + RECALIBRATED, REVISED + AS_TRAINED):
        known[name] = Network(name=name, role="control")
    return tuple(known[name] for name in names)


def prediction_table(
    data: CohortData,
    models: Mapping[str, SubsetPredictions],
    networks: Sequence[Network],
    *,
    sampled: Mapping[tuple[str, str], Sequence[int]] | None = None,
) -> PredictionTable:
    """Return the predictions of all networks as one table, with the slices that the index has columns for.

    Args:
        data: The images, those that earlier revisions forgot among them; predictions of a subset are in the order of
            its items.
        models: Each network's predictions by (part, split).
        networks: The networks, named as in `models`.
        sampled: The rows of each subset that was not evaluated whole.
    """
    subsets = list(next(iter(models.values())))
    listed_in = {
        (part, split): data.earlier_items(part, split) if is_earlier(part) else data.items([part], split)
        for part, split in subsets
    }
    for subset, chosen in (sampled or {}).items():
        listed_in[subset] = [listed_in[subset][row] for row in chosen]
    ids = [item["image_id"] for items in listed_in.values() for item in items]
    frame = pd.concat([data.frame, data.earlier.frame], ignore_index=True)
    rows = frame.set_index("image_id", drop=False).loc[ids, COLUMNS].reset_index(drop=True)
    sliced = slice_columns(_index_rows(data).set_index("image_id", drop=False).loc[ids]).reset_index(drop=True)
    frame, class_names = pd.concat([rows, sliced], axis=1), data.class_names
    if data.labels:
        frame, class_names = _by_label(frame, data), states(data.labels)
    # Of a subset without images, predictions have no columns either.
    shape = (-1, len(class_names))
    return PredictionTable(
        frame=frame,
        class_names=class_names,
        multilabel=bool(data.labels),
        networks=tuple(networks),
        logits={
            one.name: np.concatenate([models[one.name][subset].logits.reshape(shape).numpy() for subset in subsets])
            for one in networks
        },
    )


def _by_label(frame: pd.DataFrame, data: CohortData) -> pd.DataFrame:
    """Return a row for each label of each image, in the order of `decisions`, with the state of the label."""
    count = len(data.labels)
    numbers = frame["label"].map({name: number for number, name in enumerate(data.class_names)}).to_numpy(np.int64)
    true = 2 * np.arange(count) + (numbers[:, None] >> np.arange(count) & 1)
    repeated = frame.loc[frame.index.repeat(count)].reset_index(drop=True)
    return repeated.assign(label=np.array(states(data.labels), dtype=object)[true.ravel()])


def _index_rows(data: CohortData) -> pd.DataFrame:
    """Return the rows of the index for the images of a cohort, with all columns."""
    if data.cohort is None:
        return data.frame[["image_id"]]
    cohort = data.cohort
    return pd.concat([cohort.forget, cohort.remain, cohort.undetermined], ignore_index=True)
