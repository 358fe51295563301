"""The losses of forget training images and of the never-trained images that they are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import logsumexp

from monai_unlearn.evaluation.decision.counterparts import NEVER_TRAINED
from monai_unlearn.evaluation.decision.evidence import patient_numbers
from monai_unlearn.evaluation.decision.matched_auc import MatchedAuc, Units
from monai_unlearn.evaluation.prediction_table import SLICE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from monai_unlearn.evaluation.prediction_table import PredictionTable

    Array = npt.NDArray[np.float64]
    Mask = npt.NDArray[np.bool_]

DEVICE = f"{SLICE}device"
MIN_OTHERS = 5
"""With fewer never-trained patients of a class, an image of it has nothing to be compared with."""


@dataclass(frozen=True, kw_only=True)
class MatchedLosses:
    """The mean loss of each patient in each stratum, under every network of a table.

    A stratum is a class, and within it a device where the table has the slice: another camera's images are no match.

    Attributes:
        losses: The cross entropy by network, in nats, averaged over the images of a unit, shape (unit,); NaN where an
            output is not finite.
        strata: The stratum of each unit, shape (unit,).
        labels: The class of each unit, shape (unit,).
        patients: The patient of each unit, numbered, shape (unit,).
        is_member: Whether a unit is of forget training images, shape (unit,).
        images: How many images each unit is of, shape (unit,).
    """

    losses: Mapping[str, Array]
    strata: npt.NDArray[np.int64]
    labels: npt.NDArray[np.object_]
    patients: npt.NDArray[np.int64]
    is_member: Mask
    images: npt.NDArray[np.int64]

    @classmethod
    def of(cls, table: PredictionTable, counterparts: Sequence[str]) -> MatchedLosses:
        """Return the losses of a table.

        Args:
            table: What every network predicts.
            counterparts: The parts whose validation and test images are never-trained images of the same kind.
        """
        frame = table.frame
        member = (frame["part"] == "forget") & (frame["split"] == "train")
        other = frame["part"].isin(counterparts) & frame["split"].isin(NEVER_TRAINED)
        rows = np.flatnonzero(member | other)
        kept = frame.iloc[rows]
        strata = [kept["label"]] + ([kept[DEVICE].fillna("")] if DEVICE in kept else [])
        stratum = kept.assign(_=1).groupby([one.to_numpy() for one in strata], sort=True).ngroup().to_numpy()
        patient = patient_numbers(table)[0][rows]
        keys, first, place = np.unique(
            np.stack([patient, stratum, member.to_numpy()[rows]], 1), axis=0, return_index=True, return_inverse=True
        )
        counts = np.bincount(place.ravel(), minlength=len(keys))
        numbers = kept["label"].map({name: i for i, name in enumerate(table.class_names)}).to_numpy(np.int64)
        single = {name: _cross_entropy(logits[rows], numbers) for name, logits in table.logits.items()}
        return cls(
            losses={
                name: np.bincount(place.ravel(), weights=values, minlength=len(keys)) / np.maximum(counts, 1)
                for name, values in single.items()
            },
            strata=keys[:, 1].astype(np.int64),
            labels=kept["label"].to_numpy(object)[first],
            patients=keys[:, 0].astype(np.int64),
            is_member=keys[:, 2].astype(bool),
            images=counts.astype(np.int64),
        )

    def classes(self, class_names: Sequence[str]) -> tuple[str, ...]:
        """Return the classes of the forget training images, in the order of the network's."""
        found = set(self.labels[self.is_member])
        return tuple(name for name in class_names if name in found)

    def fault(self, network: str, label: str | None = None) -> str | None:
        """Return why no AUC can be computed, of a class or of all, or None."""
        chosen = self._chosen(label)
        if not (chosen & self.is_member).any():
            return "there is no forget training image"
        for stratum in np.unique(self.strata[chosen & self.is_member]):
            theirs = (self.strata == stratum) & ~self.is_member
            if (count := int(theirs.sum())) < MIN_OTHERS:
                name = self.labels[self.strata == stratum][0]
                return (
                    f"of {name}, {count} patients have never-trained images of the same class and cohort, and "
                    f"{MIN_OTHERS} are needed to compare with"
                )
        if not np.isfinite(self.losses[network][chosen]).all():
            return f"images have no finite output of {network}"
        return None

    def auc(self, network: str, label: str | None = None) -> MatchedAuc:
        """Return the AUC of a network, of a class or of all; only where `fault` has nothing to say."""
        chosen = self._chosen(label)
        units = [
            Units(losses=self.losses[network][mask], strata=self.strata[mask], patients=self.patients[mask])
            for mask in (chosen & self.is_member, chosen & ~self.is_member)
        ]
        return MatchedAuc.of(*units)

    def counted(self, label: str | None = None) -> tuple[int, int]:
        """Return how many patients and images the forget training images are, of a class or of all."""
        members = self._chosen(label) & self.is_member
        return len(np.unique(self.patients[members])), int(self.images[members].sum())

    def _chosen(self, label: str | None) -> Mask:
        matched = np.isin(self.strata, self.strata[self.is_member])
        return matched if label is None else np.asarray(matched & (self.labels == label))


def _cross_entropy(logits: npt.NDArray[Any], labels: npt.NDArray[np.integer[Any]]) -> Array:
    """Return −log of the softmax at the true class, in float64: finite however sure a network is."""
    values = np.where(np.isfinite(logits).all(1, keepdims=True), logits.astype(np.float64), np.nan)
    return np.asarray(logsumexp(values, axis=1) - values[np.arange(len(values)), labels])
