"""The remain training images that a run uses beside those of its steps: a sample that its seed chooses.

The remain part may be a whole archive, of which the steps draw a few thousand images. Recalibration and the evaluation
at the end take a sample, so that no image is decoded in vain. It is not the images of the steps: the revised network
was fitted to these, and would look better on them than on the part that they stand for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch.utils.data import Dataset, Subset

from monai_unlearn.methods import chosen_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.evaluation.decision import Decision

SAMPLED = 4096
"""Images of the sample. Accuracies recalibrated under ten seeds then lie within half a point, those of the class that
moves most within two to three (benchmarks/recalibration_size.py); an accuracy over the sample is known to ±1.6 points
at 95 %. From half as many images on, accuracy over all classes moves little more, but single classes do."""
REMAIN_TRAIN = ("remain", "train")


@dataclass(frozen=True, kw_only=True)
class RemainSample:
    """A sample of the remain training images; all of them where there are no more than `SAMPLED`.

    Attributes:
        images: The images, each decoded when it is first needed.
        rows: Their rows among all remain training images, in order.
        of: How many remain training images there are.
        seed: What chose them.
    """

    images: Dataset[Any]
    rows: tuple[int, ...]
    of: int
    seed: int

    @classmethod
    def draw(cls, remain: Dataset[Any], *, seed: int) -> RemainSample:
        """Draw the sample of a run.

        Args:
            remain: The remain part's training images.
            seed: The run's seed.
        """
        count = len(remain)  # type: ignore[arg-type]  # torch's Dataset does not declare __len__
        rows = sorted(chosen_rows(count, SAMPLED, seed).tolist())
        images = remain if len(rows) == count else Subset(remain, rows)
        return cls(images=images, rows=tuple(rows), of=count, seed=seed)

    def judged(
        self, subsets: Mapping[tuple[str, str], Dataset[Any]], decision: Decision
    ) -> tuple[dict[tuple[str, str], Dataset[Any]], dict[tuple[str, str], tuple[int, ...]]]:
        """Return the subsets that the evaluation at the end is of, and the rows of the one that is a sample.

        Where an endpoint is about remain / train, all of its images are evaluated: what was declared is judged whole.
        """
        if len(self.rows) == self.of or "_".join(REMAIN_TRAIN) in decision.subsets:
            return dict(subsets), {}
        return {**subsets, REMAIN_TRAIN: self.images}, {REMAIN_TRAIN: self.rows}

    def document(self) -> dict[str, int]:
        """Return what `metrics.json` says of it."""
        return {"images": len(self.rows), "of": self.of, "seed": self.seed}

    def note(self) -> str:
        """Return what the card says of it."""
        return (
            f"Of {self.of:,} remain training images, {len(self.rows):,}, which the seed {self.seed} chose, are "
            "evaluated; the others were not decoded unless a step drew them."
        )
