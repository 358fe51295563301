from .faults import Fault, usable_faults
from .store.store import Index
from .store.write import write_index
from .usable import is_usable, usable_array, usable_mask, usable_sql

__all__ = [
    "Fault",
    "Index",
    "is_usable",
    "usable_array",
    "usable_faults",
    "usable_mask",
    "usable_sql",
    "write_index",
]
