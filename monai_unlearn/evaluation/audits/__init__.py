"""Audits, one file each: what a network still knows that its accuracy does not show.

To add one, write its file and list its record here. They run in this order: first those that need the table of
predictions alone, then from the cheapest to the costliest. None of the modules loads torch.
"""

from monai_unlearn.evaluation.audits.audit import Audit, Audited, Cost, Networks
from monai_unlearn.evaluation.audits.aus import AUS
from monai_unlearn.evaluation.audits.batchnorm import BATCHNORM
from monai_unlearn.evaluation.audits.distance import DISTANCE
from monai_unlearn.evaluation.audits.embeddings import EMBEDDINGS
from monai_unlearn.evaluation.audits.figure import Figure, Finding, Row
from monai_unlearn.evaluation.audits.membership import MEMBERSHIP
from monai_unlearn.evaluation.audits.probe import PROBE
from monai_unlearn.evaluation.audits.recall_gap import RECALL_GAP
from monai_unlearn.evaluation.audits.registry import chosen, register, registered
from monai_unlearn.evaluation.audits.relearning import RELEARNING
from monai_unlearn.evaluation.audits.tug_of_war import TUG_OF_WAR
from monai_unlearn.evaluation.audits.within_budget import allowance, check_share, measure_audits

for _audit in (
    MEMBERSHIP,
    DISTANCE,
    RECALL_GAP,
    TUG_OF_WAR,
    AUS,
    PROBE,
    BATCHNORM,
    RELEARNING,
    EMBEDDINGS,
):
    register(_audit)

__all__ = [
    "Audit",
    "Audited",
    "Cost",
    "Figure",
    "Finding",
    "Networks",
    "Row",
    "allowance",
    "check_share",
    "chosen",
    "measure_audits",
    "register",
    "registered",
]
