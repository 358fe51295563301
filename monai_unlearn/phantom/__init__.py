"""Synthetic but standard-conformant studies, for the demo and the tests."""

from __future__ import annotations

from monai_unlearn.phantom.mri_studies import MriSummary, write_mri_studies
from monai_unlearn.phantom.periorbital import PeriorbitalSummary, write_periorbital_studies
from monai_unlearn.phantom.studies import FundusSummary, write_fundus_studies
from monai_unlearn.phantom.studies_summary import Summary

__all__ = [
    "FundusSummary",
    "MriSummary",
    "PeriorbitalSummary",
    "Summary",
    "write_fundus_studies",
    "write_mri_studies",
    "write_periorbital_studies",
]
