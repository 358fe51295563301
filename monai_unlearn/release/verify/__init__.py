"""Checks a release: signature, files, digests, cards and lineage. Never loads torch."""

from monai_unlearn.release.verify.report import Fault, Kind, Report
from monai_unlearn.release.verify.verify import verify

__all__ = ["Fault", "Kind", "Report", "verify"]
