"""Unlearning methods: one file each, and the parts that they share."""

from monai_unlearn.methods.bad_teacher import BadTeacher
from monai_unlearn.methods.base import Method, MethodContext, StepSettings
from monai_unlearn.methods.batch_norm_only import BatchNormOnly
from monai_unlearn.methods.boundary import BoundarySearch
from monai_unlearn.methods.boundary_expand import BoundaryExpand
from monai_unlearn.methods.boundary_shrink import BoundaryShrink
from monai_unlearn.methods.composition import Composition
from monai_unlearn.methods.conv_transpose import ConvTranspose
from monai_unlearn.methods.default_method import default_for
from monai_unlearn.methods.delete import Delete
from monai_unlearn.methods.diagnostics import SearchStep, SearchTrace
from monai_unlearn.methods.duck import DUCK
from monai_unlearn.methods.finetune import FineTune
from monai_unlearn.methods.gear import GEAR
from monai_unlearn.methods.grin_plus import GrinPlus
from monai_unlearn.methods.label_search import chosen_rows
from monai_unlearn.methods.logit_ensemble import LogitEnsemble
from monai_unlearn.methods.msg import MSG
from monai_unlearn.methods.neggrad_plus import NegGradPlus
from monai_unlearn.methods.noise import Noise
from monai_unlearn.methods.one_shot import OneShot
from monai_unlearn.methods.pixel_space import PixelSpace
from monai_unlearn.methods.psg import PSG
from monai_unlearn.methods.psg_published import PublishedPSG
from monai_unlearn.methods.psg_remain import PSGRemain
from monai_unlearn.methods.random_label import RandomLabel
from monai_unlearn.methods.registry import MethodInfo, info_of, register, registered
from monai_unlearn.methods.regun import ReGUn
from monai_unlearn.methods.relabelling import PUBLISHED, PublishedSettings
from monai_unlearn.methods.remain_teacher import RemainTeacher
from monai_unlearn.methods.remain_training import RemainTraining
from monai_unlearn.methods.reset import Reset
from monai_unlearn.methods.retrain import Retrain
from monai_unlearn.methods.rewind import Rewind
from monai_unlearn.methods.salun import SalUn
from monai_unlearn.methods.schedules import Schedule
from monai_unlearn.methods.scratch import Scratch
from monai_unlearn.methods.scrub import SCRUB
from monai_unlearn.methods.shrink_perturb import ShrinkPerturb
from monai_unlearn.methods.ssd import SSD
from monai_unlearn.methods.targets import TargetRule
from monai_unlearn.methods.two_terms import TwoTerms

__all__ = [
    "DUCK",
    "GEAR",
    "MSG",
    "PSG",
    "PUBLISHED",
    "SCRUB",
    "SSD",
    "BadTeacher",
    "BatchNormOnly",
    "BoundaryExpand",
    "BoundarySearch",
    "BoundaryShrink",
    "Composition",
    "ConvTranspose",
    "Delete",
    "FineTune",
    "GrinPlus",
    "LogitEnsemble",
    "Method",
    "MethodContext",
    "MethodInfo",
    "NegGradPlus",
    "Noise",
    "OneShot",
    "PSGRemain",
    "PixelSpace",
    "PublishedPSG",
    "PublishedSettings",
    "RandomLabel",
    "ReGUn",
    "RemainTeacher",
    "RemainTraining",
    "Reset",
    "Retrain",
    "Rewind",
    "SalUn",
    "Schedule",
    "Scratch",
    "SearchStep",
    "SearchTrace",
    "ShrinkPerturb",
    "StepSettings",
    "TargetRule",
    "TwoTerms",
    "chosen_rows",
    "default_for",
    "info_of",
    "register",
    "registered",
]
