from .faults import Fault, usable_faults
from .store.store import Index
from .store.write import write_index

__all__ = ["Fault", "Index", "usable_faults", "write_index"]
