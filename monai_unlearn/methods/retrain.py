"""Retraining on the remain part with the steps of a run: a control at full cost."""

from __future__ import annotations

from monai_unlearn.methods.base import StepSettings
from monai_unlearn.methods.registry import MethodInfo, register
from monai_unlearn.methods.scratch import Scratch


@register(
    MethodInfo(
        name="retrain",
        paper="a control: what every method is measured against",
        equations="every layer initialised afresh, then training's own loss on remain images; with budget: 1",
        needs=("remain",),
        suits=(),
        batch_norm="train mode on remain images",
        cost="all of retraining: set budget: 1; less is scratch",
        search_space={"budget": (1.0,)},
    )
)
class Retrain(Scratch):
    """Trains a fresh network on remain images, with `budget: 1`, in batches of 32.

    It shows what the steps of a run come to where cost is no object: if they do not land where references land, which
    `--reference retrain` trains by the training config itself, no method taking these steps can. With a smaller budget
    this is no retraining.
    """

    # The batches and the long warm-up with which the bundles train.
    steps = StepSettings(learning_rate=1.0, warm_up=0.3, batch_size=1, remain_batch_size=32)
