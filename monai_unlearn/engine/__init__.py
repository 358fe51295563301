"""Trains, revises and evaluates bundles on MONAI's and Ignite's engines."""

from monai_unlearn.engine.chosen_method import method_of
from monai_unlearn.engine.distributed import finalize, initialize, process_device
from monai_unlearn.engine.evaluating import evaluate
from monai_unlearn.engine.handlers import ProgressBar
from monai_unlearn.engine.head import as_classifier
from monai_unlearn.engine.healthy import healthy_classes
from monai_unlearn.engine.host import bundle_root, executed_config, report_errors, usable_device
from monai_unlearn.engine.inferring import class_names_of, finish_predictions
from monai_unlearn.engine.protocol import follow_protocol
from monai_unlearn.engine.reference import Reference, Retraining
from monai_unlearn.engine.replicas import replicated, written_once
from monai_unlearn.engine.revision import Revision
from monai_unlearn.engine.tracking import tracking_uri
from monai_unlearn.engine.trainer import UnlearnTrainer
from monai_unlearn.engine.training import train
from monai_unlearn.engine.training_steps import TrainingSteps
from monai_unlearn.errors import NotAccepted

__all__ = [
    "NotAccepted",
    "ProgressBar",
    "Reference",
    "Retraining",
    "Revision",
    "TrainingSteps",
    "UnlearnTrainer",
    "as_classifier",
    "bundle_root",
    "class_names_of",
    "evaluate",
    "executed_config",
    "finalize",
    "finish_predictions",
    "follow_protocol",
    "healthy_classes",
    "initialize",
    "method_of",
    "process_device",
    "replicated",
    "report_errors",
    "tracking_uri",
    "train",
    "usable_device",
    "written_once",
]
