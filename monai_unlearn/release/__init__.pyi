from .bundle import write_class_names, write_revised_bundle
from .bundle_info import BundleInfo
from .contents import SNAPSHOTS, TRAINING_RECORD, WEIGHTS
from .downloads import download_warnings
from .sums import check_sums, update_sums, write_sums
from .travels import check_travels
from .weights import holds_weights, load_weights, save_weights, saved_keys, weights_digest

__all__ = [
    "SNAPSHOTS",
    "TRAINING_RECORD",
    "WEIGHTS",
    "BundleInfo",
    "check_sums",
    "check_travels",
    "download_warnings",
    "holds_weights",
    "load_weights",
    "save_weights",
    "saved_keys",
    "update_sums",
    "weights_digest",
    "write_class_names",
    "write_revised_bundle",
    "write_sums",
]
