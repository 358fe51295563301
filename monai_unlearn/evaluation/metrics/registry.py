"""The registered metrics, in the order in which documents show them.

>>> next(iter(registered()))
'accuracy'
>>> register(registered()["accuracy"])
Traceback (most recent call last):
...
ValueError: A metric named 'accuracy' is already registered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.evaluation.registry import Registry

if TYPE_CHECKING:
    from monai_unlearn.evaluation.metrics.metric import Metric

_METRICS: Registry[Metric] = Registry("A metric")

register = _METRICS.register
registered = _METRICS.registered
