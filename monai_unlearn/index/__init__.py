"""The image index: one row per image, read from DICOM, NIfTI and image files, tables and measures."""

import lazy_loader

# Specs are checked without pandas, which the index needs: it is loaded when its names are used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
