"""The image index: one row per image, read from DICOM, NIfTI and other image files, tables and measures."""

import lazy_loader

# Checking a spec must not load pandas and pyarrow: names are imported on first use.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
