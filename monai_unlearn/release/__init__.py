"""Weights and bundles: read, revised, written whole. Loads torch."""

from monai_unlearn.release.bundle import TRAINING_RECORD, WEIGHTS, BundleInfo, write_revised_bundle
from monai_unlearn.release.staging import check_free, remove_unfinished, staged, write_json
from monai_unlearn.release.weights import load_weights, save_weights, weights_digest

__all__ = [
    "TRAINING_RECORD",
    "WEIGHTS",
    "BundleInfo",
    "check_free",
    "load_weights",
    "remove_unfinished",
    "save_weights",
    "staged",
    "weights_digest",
    "write_json",
    "write_revised_bundle",
]
