"""The registered metrics, in the order in which documents show them.

>>> next(iter(registered()))
'accuracy'
>>> register(registered()["accuracy"])
Traceback (most recent call last):
...
ValueError: A metric named 'accuracy' is already registered.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.evaluation.metrics.metric import Metric

_METRICS: dict[str, Metric] = {}


def register(metric: Metric) -> None:
    """Register a metric: from then on it is measured, also in every slice, and shown on the card.

    Raises:
        ValueError: A metric of that name is already registered.
    """
    if metric.name in _METRICS:
        raise ValueError(f"A metric named '{metric.name}' is already registered.")
    _METRICS[metric.name] = metric


def registered() -> Mapping[str, Metric]:
    """Return every metric by name, in the order of registration."""
    return MappingProxyType(_METRICS)
