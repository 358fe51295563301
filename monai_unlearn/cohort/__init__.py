"""The cohort language: a spec in YAML, resolved on an index into three parts."""

import lazy_loader

# A spec is checked without the libraries that resolve it: they are loaded when their names are used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
