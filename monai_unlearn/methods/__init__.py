"""Unlearning methods, one file each."""

from monai_unlearn.methods.base import Method, MethodContext, PixelSpace
from monai_unlearn.methods.boundary import BoundarySearch
from monai_unlearn.methods.finetune import FineTune
from monai_unlearn.methods.psg import PSG
from monai_unlearn.methods.registry import MethodInfo, info_of, register, registered

__all__ = [
    "PSG",
    "BoundarySearch",
    "FineTune",
    "Method",
    "MethodContext",
    "MethodInfo",
    "PixelSpace",
    "info_of",
    "register",
    "registered",
]
