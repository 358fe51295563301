from .language.parse import parse
from .language.predicate import Predicate
from .resolve.cohort import Cohort
from .resolve.manifest import write_manifest
from .resolve.split import SplitRule
from .spec.spec import CohortSpec

__all__ = ["Cohort", "CohortSpec", "Predicate", "SplitRule", "parse", "write_manifest"]
