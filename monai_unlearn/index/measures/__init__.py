"""Measures of anatomy as columns of the index: from masks, DICOM segmentations and DICOM measurement reports."""

from monai_unlearn.index.measures.join import Measured, join_measures, refuse_overlap
from monai_unlearn.index.measures.labels import MaskLabels
from monai_unlearn.index.measures.measure_match import MeasureMatch

__all__ = ["MaskLabels", "MeasureMatch", "Measured", "join_measures", "refuse_overlap"]
