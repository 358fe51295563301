"""From a cohort to MONAI datasets: images, subsets, paired batches. Loads torch and monai."""

from monai_unlearn.data.augmented import AugmentedDataset
from monai_unlearn.data.cohort_data import CohortData, open_data
from monai_unlearn.data.held import held_images
from monai_unlearn.data.images import LoadImage2Dd, list_images, read_image
from monai_unlearn.data.pairs import PairedLoader
from monai_unlearn.data.read_once import InMemoryDataset
from monai_unlearn.data.subsets import subset_datasets
from monai_unlearn.vocabulary.parts import PARTS, SPLITS

__all__ = [
    "PARTS",
    "SPLITS",
    "AugmentedDataset",
    "CohortData",
    "InMemoryDataset",
    "LoadImage2Dd",
    "PairedLoader",
    "held_images",
    "list_images",
    "open_data",
    "read_image",
    "subset_datasets",
]
