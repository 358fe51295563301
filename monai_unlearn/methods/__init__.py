"""Unlearning methods: one file each, and the parts that they share."""

from monai_unlearn.methods.base import Method, MethodContext, StepSettings
from monai_unlearn.methods.boundary import BoundarySearch
from monai_unlearn.methods.boundary_shrink import BoundaryShrink
from monai_unlearn.methods.conv_transpose import ConvTranspose
from monai_unlearn.methods.diagnostics import SearchStep, SearchTrace
from monai_unlearn.methods.finetune import FineTune
from monai_unlearn.methods.label_search import chosen_rows
from monai_unlearn.methods.noise import Noise
from monai_unlearn.methods.one_shot import OneShot
from monai_unlearn.methods.pixel_space import PixelSpace
from monai_unlearn.methods.psg import PSG
from monai_unlearn.methods.psg_published import PublishedPSG
from monai_unlearn.methods.registry import MethodInfo, info_of, register, registered
from monai_unlearn.methods.relabelling import PUBLISHED, PublishedSettings
from monai_unlearn.methods.remain_training import RemainTraining
from monai_unlearn.methods.reset import Reset
from monai_unlearn.methods.schedules import Schedule
from monai_unlearn.methods.targets import TargetRule

__all__ = [
    "PSG",
    "PUBLISHED",
    "BoundarySearch",
    "BoundaryShrink",
    "ConvTranspose",
    "FineTune",
    "Method",
    "MethodContext",
    "MethodInfo",
    "Noise",
    "OneShot",
    "PixelSpace",
    "PublishedPSG",
    "PublishedSettings",
    "RemainTraining",
    "Reset",
    "Schedule",
    "SearchStep",
    "SearchTrace",
    "StepSettings",
    "TargetRule",
    "chosen_rows",
    "info_of",
    "register",
    "registered",
]
