"""How two networks are composed into one, and which arguments go together."""

from __future__ import annotations

from typing import Literal, get_args

from monai_unlearn.errors import ConfigError, check_choice

By = Literal["splice", "linear", "task_vectors", "ensemble"]
AUTO = "auto"
HEAD = "head"


def check_composition(*, by: str, classifier: object = HEAD, weight: float | str = AUTO) -> None:
    """Refuse a composition that cannot be, whatever the networks.

    Args:
        by: Its kind.
        classifier: Where a splice is cut; whether the network has such modules is not known here.
        weight: The coefficient in [0, 1], or `auto`.

    Raises:
        ConfigError: It is no such kind, a value is out of range, or the kind has no such argument.

    >>> check_composition(by="linear", weight=0.5)
    """
    check_choice(by, get_args(By), name="by")
    if classifier == "all":
        raise ConfigError("classifier: all is the whole network, so that nothing of A would be left. Give less.")
    if weight != AUTO and (isinstance(weight, (str, bool)) or not 0 <= weight <= 1):
        raise ConfigError(f"weight: expected a coefficient in [0, 1], or {AUTO}, got {weight}.")
    if by == "splice" and weight != AUTO:
        raise ConfigError("weight: a splice has no coefficient. Leave it out, or compose by linear.")
    if by != "splice" and classifier != HEAD:
        raise ConfigError("classifier: only a splice is cut. Leave it out, or compose by splice.")
