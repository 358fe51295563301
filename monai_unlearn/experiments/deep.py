"""`rehearse --deep`: of many small networks, do those that forgot a cohort predict each image as those without it?

Of each pair, one network is trained on everything and then forgets the cohort by the method of the protocol, and one is
trained without it; KLoM compares the two distributions of margins, image by image.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from monai_unlearn.errors import ConfigError, DataError
from monai_unlearn.evaluation.audits.klom import FEWEST, klom, margins
from monai_unlearn.evaluation.prediction_table import PredictionTable
from monai_unlearn.experiments.plan import name_of
from monai_unlearn.experiments.runner import BundleRun

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from monai_unlearn.experiments.draw import RehearsalCohort
    from monai_unlearn.experiments.rehearsal_runs import RehearsalRuns
    from monai_unlearn.experiments.search_space import Setting

    Array = npt.NDArray[np.float64]

NETWORKS = FEWEST
"""How many pairs of networks `--deep` trains by default, and at least."""
RUNS_OF_A_PAIR = 2
SET_BY_DEEP = {
    "checkpoint": "it trains the networks",
    "parts": "it trains with the cohort and without it",
    "seed": "each network has its own",
    "device": "--fix",
}
"""Config ids of the small networks that the command sets, beside `SET_BY_REHEARSE`."""
# Both configs of a bundle define the network.
_NETWORK = "network_def"
_FOLDER = "deep"


@dataclass(frozen=True, kw_only=True)
class Deep:
    """The pairs of small networks of one cohort.

    Args:
        runs: What all runs of the rehearsal share.
        cohort: The cohort that is forgotten.
        method: The method's name.
        settings: Its settings by id.
        small: Settings of training, as text, that make the networks small.
    """

    runs: RehearsalRuns
    cohort: RehearsalCohort
    method: str
    settings: Mapping[str, Setting]
    small: Mapping[str, str]

    def original(self, number: int) -> BundleRun:
        """Return the training, on all images, of the network of a pair that will forget."""
        first, *overlays = [self.runs.config.with_name(name) for name in self._said["training_configs"]]
        fixed = {key: value for key, value in self.runs.fixed.items() if _head(key) in (*self._shared, "device")}
        where = {"index_dir": str(self.runs.index), "cohort_spec": str(self.cohort.path)}
        return BundleRun(
            config=first,
            overlays=overlays,
            # A run that retrains does so under the seed that follows on the original's.
            settings={**where, **fixed, **self.small, "seed": str(2 * number)},
            folder=self.runs.folder(self.cohort) / self._name(self.small) / f"original-{number:03}",
            run_id="train",
        )

    def revised(self, number: int) -> BundleRun:
        """Return the run in which it forgets, and the other network of the pair is trained without the cohort."""
        trained = self.original(number)
        network = {key: value for key, value in self.small.items() if _head(key) in (*self._shared, _NETWORK)}
        own = {"checkpoint": str(trained.weights), "seed": str(number), "audits": "[]"}
        one = self.runs.run(self.cohort, self.method, self.settings)
        settings = {**one.settings, **network, **own, "reference": "retrain", "reference_seeds": "1"}
        folder = trained.folder.parent / f"revised-{number:03}-{one.folder.name}"
        return BundleRun(config=self.runs.config, settings=settings, folder=folder)

    def pair(self, number: int, done: Callable[[], None]) -> PredictionTable:
        """Run what is not finished of a pair, and return what its networks predict.

        Raises:
            DataError: A run refused its input.
            TrainingError: A run failed.
        """
        for run in (self.original(number), self.revised(number)):
            found = run.finish(threads=self.runs.threads)
            done()
        return PredictionTable.read(found.predictions)

    @property
    def _shared(self) -> tuple[str, ...]:
        """The settings that the bundle's revision shares with its training."""
        found = self._said.get("revision", {}).get("retraining", {}).get("shared", [])
        return tuple(str(name) for name in found)

    @cached_property
    def _said(self) -> dict[str, Any]:
        try:
            found = yaml.safe_load(self.runs.config.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ConfigError(f"{self.runs.config}: expected a bundle's config, got {type(error).__name__}.") from None
        return {"training_configs": ["train.yaml"], **found}

    @staticmethod
    def _name(small: Mapping[str, str]) -> str:
        return f"{_FOLDER}-{name_of([dict(small)])}"


def klom_of(tables: Sequence[PredictionTable]) -> list[dict[str, Any]]:
    """Return KLoM in nats by subset, from what the networks of many pairs predict for the same images.

    Returns:
        Of each subset with images: `images`; `mean` and `percentile_95` over images of the revised networks against
        those without the cohort; the same with `original_`, before they forgot; the same with `floor_`, of one half of
        the networks without the cohort against the other; `left_out`, images for which an output is not finite.

    Raises:
        DataError: The tables are not about the same images, there are fewer than `NETWORKS`, or one lacks a network.
    """
    first = tables[0]
    ids = first.frame["image_id"].tolist()
    if any(one.frame["image_id"].tolist() != ids or one.class_names != first.class_names for one in tables):
        raise DataError("KLoM: expected predictions for the same images of all networks.")
    classes = np.array([first.class_names.index(name) for name in first.frame["label"]])
    logits = {role: _logits(tables, role) for role in ("revised", "original", "reference")}
    finite = np.logical_and.reduce([np.isfinite(one).all((0, 2)) for one in logits.values()])
    found = {role: margins(np.where(finite[:, None], one, 0.0), classes) for role, one in logits.items()}
    rows = []
    for (part, split), frame in first.frame.groupby(["part", "split"], sort=True):
        places = frame.index.to_numpy()
        kept = places[finite[places]]
        if len(kept):
            revised, original, retrained = (found[role][:, kept] for role in ("revised", "original", "reference"))
            before = klom(original, retrained).summary()
            rows.append(
                {
                    "subset": f"{part}_{split}",
                    "images": len(kept),
                    "left_out": len(places) - len(kept),
                    **klom(revised, retrained).summary(),
                    **{f"original_{key}": value for key, value in before.items() if not key.startswith("floor")},
                }
            )
    return rows


def _logits(tables: Sequence[PredictionTable], role: str) -> Array:
    """Return the logits of the networks of a role, shape (network, image, class)."""
    named = [one.named(role)[:1] for one in tables]
    if not all(named):
        raise DataError(f"KLoM: expected predictions of a network of the role {role} in each run.")
    return np.stack([one.logits[name].astype(np.float64) for one, (name,) in zip(tables, named, strict=True)])


def _head(name: str) -> str:
    return name.partition("::")[0]
