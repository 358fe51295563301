"""Fine-tuning on the remain part alone: a baseline for every method."""

from __future__ import annotations

from monai_unlearn.methods.registry import MethodInfo, register
from monai_unlearn.methods.remain_training import RemainTraining


@register(
    MethodInfo(
        name="finetune",
        paper="the usual baseline, e.g. Golatkar et al. 2020, arXiv 1911.04933",
        equations="training's own loss on remain images, from the original's weights",
        needs=("remain",),
        suits=("class", "part_of_class", "device", "patients", "labels"),
        batch_norm="train mode on remain images",
        cost="one gradient per remain image of each step",
        search_space={
            "method::batch_norm": ("remain", "frozen"),
            "training::rate_factor": (1.0, 0.5, 2.0, 4.0),
        },
    )
)
class FineTune(RemainTraining):
    """Continues training on remain images alone; the network may forget the others (catastrophic forgetting).

    >>> FineTune().parts
    ('remain',)
    """
