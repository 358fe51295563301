"""A retired device: networks of half the width, trained from scratch without the cohort."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation.predictors.predictor import Predictor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.evaluation.predictors.predictor import CohortShape, Proxy, Workshop

WIDTHS = (
    "block_inplanes",
    "channels",
    "features",
    "feature_size",
    "init_features",
    "init_filters",
    "growth_rate",
    "hidden_size",
    "mlp_dim",
    "embed_dim",
    "width",
    "widths",
)
"""What constructors of networks call their widths: channels of convolutions, sizes of hidden layers."""
FACTOR = "widen_factor"
"""What some call a factor on all of them."""


def halved(network_def: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a `network_def` with half of every width that the constructor takes.

    Args:
        network_def: The bundle's, with plain values.
        parameters: The parameters of its constructor with their defaults; None where there is none.

    Raises:
        ConfigError: The constructor takes no width.

    >>> halved({"_target_": "ResNet", "block_inplanes": [16, 32]}, {"block_inplanes": None})
    {'_target_': 'ResNet', 'block_inplanes': [8, 16]}
    """
    known = {**parameters, **network_def}
    found = {name: _half(known[name]) for name in WIDTHS if name in parameters and _half(known[name]) is not None}
    if not found and FACTOR in parameters:
        found = {FACTOR: (known[FACTOR] or 1.0) / 2}
    if not found:
        raise ConfigError(
            f"predictor: half_width needs a network whose constructor takes its widths ({', '.join(WIDTHS)}, {FACTOR});"
            f" that of network_def, {network_def.get('_target_')}, takes {', '.join(parameters) or 'none'}. Choose "
            "another predictor, such as last_blocks, or retrain."
        )
    return {**network_def, **found}


def _half(value: object) -> Any:  # noqa: ANN401 - a number, a list, or None
    """Return half of a whole number or of each in a list, at least 1; None if it is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return max(1, value // 2)
    if isinstance(value, (list, tuple)) and value:
        halves = [_half(one) for one in value]
        return None if None in halves else halves
    return None


def _make(workshop: Workshop, _shape: CohortShape, seeds: int) -> list[Proxy]:
    return workshop.trained("half_width", halved, seeds=seeds)


def refuses(_shape: CohortShape) -> None:
    """A device may be of any size and class."""


HALF_WIDTH = Predictor(
    name="half_width",
    description="networks of half the width, trained from scratch without the cohort",
    reasons=("device_deprecation",),
    kind="rows",
    refuses=refuses,
    make=_make,
)
