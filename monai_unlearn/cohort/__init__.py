"""The cohort language: a spec in YAML, resolved on an index into three parts."""

from monai_unlearn.cohort.cohort import Cohort
from monai_unlearn.cohort.manifest import write_manifest
from monai_unlearn.cohort.parse import parse
from monai_unlearn.cohort.predicate import Predicate
from monai_unlearn.cohort.spec import CohortSpec
from monai_unlearn.cohort.split import Split, SplitRule

__all__ = ["Cohort", "CohortSpec", "Predicate", "Split", "SplitRule", "parse", "write_manifest"]
