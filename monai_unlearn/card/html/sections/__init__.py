"""The sections of the page, one module each, in the order in which people read them."""

from monai_unlearn.card.html.sections.appendix import APPENDIX
from monai_unlearn.card.html.sections.asked import ASKED
from monai_unlearn.card.html.sections.cost import COST
from monai_unlearn.card.html.sections.criteria import CRITERIA
from monai_unlearn.card.html.sections.earlier import EARLIER
from monai_unlearn.card.html.sections.forgot import FORGOT
from monai_unlearn.card.html.sections.identity import IDENTITY
from monai_unlearn.card.html.sections.limits import LIMITS
from monai_unlearn.card.html.sections.patients import PATIENTS
from monai_unlearn.card.html.sections.real import REAL
from monai_unlearn.card.html.sections.section import Section
from monai_unlearn.card.html.sections.verdict import VERDICT

SECTIONS = (VERDICT, ASKED, FORGOT, PATIENTS, REAL, CRITERIA, COST, LIMITS, EARLIER, IDENTITY, APPENDIX)

__all__ = ["SECTIONS", "Section"]
