"""Metadata-driven unlearning for MONAI bundles.

Importing this package loads neither torch nor monai: import the rooms that need them by name
(`monai_unlearn.methods`, `monai_unlearn.engine`, …).
"""

from monai_unlearn.errors import UnlearnError

__version__ = "0.1.0"

__all__ = ["UnlearnError", "__version__"]
