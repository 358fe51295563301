"""Synthetic but standard-conformant studies, for the demo and the tests."""

from __future__ import annotations

from monai_unlearn.phantom.mri_studies import MriSummary, write_mri_studies
from monai_unlearn.phantom.periorbital import PeriorbitalSummary, write_periorbital_studies
from monai_unlearn.phantom.studies import Summary, write_fundus_studies

__all__ = [
    "MriSummary",
    "PeriorbitalSummary",
    "Summary",
    "write_fundus_studies",
    "write_mri_studies",
    "write_periorbital_studies",
]
