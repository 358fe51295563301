"""Synthetic but standard-conformant studies, for the demo and the tests."""

from __future__ import annotations

from monai_unlearn.phantom.studies import Summary, write_fundus_studies

__all__ = ["Summary", "write_fundus_studies"]
