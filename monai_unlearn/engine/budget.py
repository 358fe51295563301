"""How many steps a run may take, as a share of what retraining would cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from monai_unlearn.engine.reference import record_of
from monai_unlearn.errors import ConfigError

if TYPE_CHECKING:
    from monai_unlearn.data import CohortData
    from monai_unlearn.methods import Method

LEAST = 60


def steps_within(
    budget: float, *, checkpoint: str | Path, data: CohortData, images_a_step: int, method: Method | None = None
) -> int:
    """Return the steps whose gradient evaluations are a share of those of retraining on the remain part.

    What retraining costs follows from the training record beside the original weights, by the images that would be
    left. Without a record, and where the share is smaller than that, it is `LEAST` steps: forgetting takes some
    however small the data set is.

    Args:
        budget: The share, in (0, 1].
        checkpoint: The original weights.
        data: The cohort's images.
        images_a_step: Gradients that a step takes, at least 1.
        method: Its preparation is counted.

    Raises:
        ConfigError: The share is no share.
    """
    if not 0 < budget <= 1:
        raise ConfigError(f"budget: expected a share of retraining above 0 and at most 1, got {budget}.")
    record = record_of(Path(checkpoint))
    gradients, images = record.get("gradient_evaluations"), record.get("images")
    if not isinstance(gradients, int) or not images:
        return LEAST
    counts = data.counts()
    left = budget * gradients * counts["remain"]["train"] / images
    if method is not None:
        left -= method.gradients_to_prepare(counts["forget"]["train"])
    return max(LEAST, int(left / images_a_step))
