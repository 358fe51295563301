"""Measures of anatomy as columns of the index: from masks, DICOM segmentations and DICOM measurement reports."""
