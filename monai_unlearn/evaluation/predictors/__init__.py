"""Predictors of what retraining would give, one file each. To add one, write its file and list its record here.

No torch is needed to know them: what trains or runs networks for them is the workshop of the engine.
"""

from monai_unlearn.evaluation.predictors.half_width import HALF_WIDTH
from monai_unlearn.evaluation.predictors.last_blocks import LAST_BLOCKS
from monai_unlearn.evaluation.predictors.never_trained import NEVER_TRAINED
from monai_unlearn.evaluation.predictors.predictor import CohortShape, Predictor, Proxy, Workshop
from monai_unlearn.evaluation.predictors.registry import register, registered
from monai_unlearn.evaluation.predictors.shifted_odds import SHIFTED_ODDS

for _predictor in (NEVER_TRAINED, SHIFTED_ODDS, HALF_WIDTH, LAST_BLOCKS):
    register(_predictor)

__all__ = ["CohortShape", "Predictor", "Proxy", "Workshop", "register", "registered"]
