"""Weights and bundles: read, revise and write them whole. Loads torch."""

from monai_unlearn.release.bundle import TRAINING_RECORD, WEIGHTS, BundleInfo, write_class_names, write_revised_bundle
from monai_unlearn.release.travels import check_travels
from monai_unlearn.release.weights import load_weights, save_weights, weights_digest

__all__ = [
    "TRAINING_RECORD",
    "WEIGHTS",
    "BundleInfo",
    "check_travels",
    "load_weights",
    "save_weights",
    "weights_digest",
    "write_class_names",
    "write_revised_bundle",
]
