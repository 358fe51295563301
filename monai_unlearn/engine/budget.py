"""How many steps a run may take, as a share of the cost of retraining."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from monai_unlearn.engine.training_record import record_of
from monai_unlearn.errors import ConfigError

if TYPE_CHECKING:
    from monai_unlearn.data import CohortData
    from monai_unlearn.methods import Method

MINIMUM = 60


def steps_within(
    budget: float,
    *,
    checkpoint: str | Path,
    data: CohortData,
    batch_size: int,
    remain_batch_size: int,
    method: Method,
) -> int:
    """Return the number of steps that cost a given share of retraining on the remain part, in gradient evaluations.

    The cost of retraining is that of the original training, from its training record, scaled to the images that
    remain. Without a record, or where the share allows fewer, the result is `MINIMUM` steps: forgetting takes some
    steps however small the data set is.

    Args:
        budget: The share, in (0, 1].
        checkpoint: The original weights.
        data: The cohort's images.
        batch_size: Forget images that a step takes, at least 1; not counted if the method needs none.
        remain_batch_size: Remain images that a step takes, at least 1.
        method: The method, whose preparation counts towards the share.

    Raises:
        ConfigError: The share is not in (0, 1].
    """
    if not 0 < budget <= 1:
        raise ConfigError(f"budget: expected a share of retraining above 0 and at most 1, got {budget}.")
    record = record_of(Path(checkpoint))
    gradients, images = record.get("gradient_evaluations"), record.get("images")
    if method.one_shot or not isinstance(gradients, int) or not images:
        return MINIMUM
    counts = data.counts()
    left = budget * gradients * counts["remain"]["train"] / images
    left -= method.gradients_to_prepare(forget=counts["forget"]["train"], remain=counts["remain"]["train"])
    return max(MINIMUM, int(left / method.gradients_a_step(forget=batch_size, remain=remain_batch_size)))
