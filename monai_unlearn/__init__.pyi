from .api import unlearn
from .cohort.spec.spec import CohortSpec
from .errors import NotAccepted, UnlearnError
from .index.store.store import Index
from .result import Result
from .version import __version__

__all__ = ["CohortSpec", "Index", "NotAccepted", "Result", "UnlearnError", "__version__", "unlearn"]
