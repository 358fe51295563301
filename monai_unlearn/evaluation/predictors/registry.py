"""The registered predictors, in the order in which documents show them.

>>> sorted(registered())
['half_width', 'last_blocks', 'never_trained', 'shifted_odds']
>>> register(registered()["half_width"])
Traceback (most recent call last):
...
ValueError: A predictor named 'half_width' is already registered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.evaluation.registry import Registry

if TYPE_CHECKING:
    from monai_unlearn.evaluation.predictors.predictor import Predictor

_PREDICTORS: Registry[Predictor] = Registry("A predictor")

register = _PREDICTORS.register
registered = _PREDICTORS.registered
