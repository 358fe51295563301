"""The image index: one row an image, read from DICOM, NIfTI and plain images, tables and measures."""

from monai_unlearn.index.faults import Fault, usable_faults
from monai_unlearn.index.store import Index
from monai_unlearn.index.write import write_index

__all__ = ["Fault", "Index", "usable_faults", "write_index"]
