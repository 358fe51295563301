"""The registered predictors, in the order in which documents show them.

>>> sorted(registered())
['half_width', 'last_blocks', 'never_trained', 'shifted_odds']
>>> register(registered()["half_width"])
Traceback (most recent call last):
...
ValueError: A predictor named 'half_width' is already registered.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.evaluation.predictors.predictor import Predictor

_PREDICTORS: dict[str, Predictor] = {}


def register(predictor: Predictor) -> None:
    """Register a predictor: from then on `--predictor` takes its name.

    Raises:
        ValueError: A predictor of that name is already registered.
    """
    if predictor.name in _PREDICTORS:
        raise ValueError(f"A predictor named '{predictor.name}' is already registered.")
    _PREDICTORS[predictor.name] = predictor


def registered() -> Mapping[str, Predictor]:
    """Return every predictor by name, in the order of registration."""
    return MappingProxyType(_PREDICTORS)
