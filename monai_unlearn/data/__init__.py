"""From a cohort to MONAI datasets: pictures, splits, paired batches. Loads torch and monai."""

from monai_unlearn.data.cohort_data import PARTS, SPLITS, CohortData, open_data
from monai_unlearn.data.images import LoadPictured, list_pictures, read_picture
from monai_unlearn.data.pairs import PairedLoader
from monai_unlearn.data.subsets import Pictures, cached_cells

__all__ = [
    "PARTS",
    "SPLITS",
    "CohortData",
    "LoadPictured",
    "PairedLoader",
    "Pictures",
    "cached_cells",
    "list_pictures",
    "open_data",
    "read_picture",
]
