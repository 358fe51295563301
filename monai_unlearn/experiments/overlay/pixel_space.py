"""How a network's inputs follow from pixels, read off the last transform of intensities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.experiments.overlay.config_data import target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_UNIT = (0.0, 1.0)
# Inputs that are normalised by their own mean and standard deviation lie in here, but for rare pixels.
OWN_MEAN = (-5.0, 5.0)
_OWN_LOADERS = ("LoadImage2Dd", "LoadMRd")


@dataclass(frozen=True, kw_only=True)
class PixelValues:
    """The arguments of `methods.PixelSpace`, as a config writes them.

    Attributes:
        mean: What is subtracted from each channel: numbers, or a reference; None for 0.
        std: What it is divided by; None for 1.
        low: The smallest pixel value.
        high: The largest one.
        source: The transform that says so; empty where none does.
    """

    mean: Any = None
    std: Any = None
    low: float = _UNIT[0]
    high: float = _UNIT[1]
    source: str = ""

    def input_range(self, mean: object, std: object) -> tuple[float, float] | None:
        """Return the smallest and the largest input; None where the normalisation is not known as numbers.

        Args:
            mean: `mean` with references followed.
            std: `std`, likewise.

        >>> PixelValues().input_range([0.5], 0.25)
        (-2.0, 2.0)
        """
        means, stds = _numbers(mean, 0.0), _numbers(std, 1.0)
        if not means or not stds or min(stds) <= 0 or len({len(means), len(stds), 1}) > 2:  # noqa: PLR2004 - one for all
            return None
        lows = [(self.low - one) / by for one, by in _pairs(means, stds)]
        highs = [(self.high - one) / by for one, by in _pairs(means, stds)]
        return min(lows), max(highs)

    @property
    def is_own_mean(self) -> bool:
        """Whether each image is normalised by its own mean, so that no fixed mean describes it."""
        return (self.low, self.high) == OWN_MEAN

    @property
    def has_range(self) -> bool:
        """Whether the range is another one than 0 to 1."""
        return (self.low, self.high) != _UNIT


def pixel_values(
    resolved: Sequence[Mapping[str, Any]], *, written: Sequence[Mapping[str, Any]], value_range: object = None
) -> PixelValues:
    """Return how inputs follow from pixels.

    Args:
        resolved: The transforms, with references followed.
        written: The same transforms, as they are written: a mean may be the reference `@mean`.
        value_range: What the metadata say of the values of inputs; used where no transform says more.

    >>> scaled = {"_target_": "ScaleIntensityRanged", "a_min": 0, "a_max": 255, "b_min": -1, "b_max": 1}
    >>> pixel_values([scaled], written=[scaled])
    PixelValues(mean=None, std=None, low=-1.0, high=1.0, source='ScaleIntensityRanged')
    """
    found = _of_metadata(value_range)
    for step, text in zip(resolved, written, strict=True):
        found = _after(step, text, found)
    return found


def _of_metadata(value_range: object) -> PixelValues:
    if isinstance(value_range, list) and len(value_range) == len(_UNIT) and all(map(_is_number, value_range)):
        low, high = map(float, value_range)
        if low < high:
            return PixelValues(low=low, high=high)
    return PixelValues()


def _after(step: Mapping[str, Any], text: Mapping[str, Any], before: PixelValues) -> PixelValues:
    """Return how values are after a transform; one that does not change intensities leaves them as they are."""
    name = target(step).removesuffix("d").removesuffix("Dict").removesuffix("D")
    if target(step) in _OWN_LOADERS:
        return PixelValues(source=target(step))
    if name == "ScaleIntensity" and step.get("factor") is None:
        return _range(step, "minv", "maxv", before)
    if name in ("ScaleIntensityRange", "ScaleIntensityRangePercentiles"):
        return _range(step, "b_min", "b_max", before)
    if name != "NormalizeIntensity":
        return before
    if step.get("subtrahend") is None or step.get("divisor") is None:
        return PixelValues(low=OWN_MEAN[0], high=OWN_MEAN[1], source=target(step))
    mean, std = text["subtrahend"], text["divisor"]
    return PixelValues(mean=mean, std=std, low=before.low, high=before.high, source=target(step))


def _range(step: Mapping[str, Any], low: str, high: str, before: PixelValues) -> PixelValues:
    bounds = [step.get(low, _UNIT[0]), step.get(high, _UNIT[1])]
    if not all(map(_is_number, bounds)):
        return before
    return PixelValues(low=float(bounds[0]), high=float(bounds[1]), source=target(step))


def _numbers(value: object, default: float) -> list[float]:
    """Return a value as one number for each channel, or one for all; empty where it is neither."""
    found = [default] if value is None else value if isinstance(value, list) else [value]
    return [float(one) for one in found] if all(map(_is_number, found)) else []  # type: ignore[arg-type]  # just seen


def _pairs(means: list[float], stds: list[float]) -> list[tuple[float, float]]:
    count = max(len(means), len(stds))
    return list(zip(means * count if len(means) == 1 else means, stds * count if len(stds) == 1 else stds, strict=True))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
