"""The ledger of a site: what was trained, unlearned, signed, promoted, rejected and rolled back. Never loads torch."""

from monai_unlearn.release.ledger.check import check
from monai_unlearn.release.ledger.head import Head
from monai_unlearn.release.ledger.key import LedgerKey
from monai_unlearn.release.ledger.ledger import Ledger
from monai_unlearn.release.ledger.line import EVENTS, Event, Line

__all__ = ["EVENTS", "Event", "Head", "Ledger", "LedgerKey", "Line", "check"]
