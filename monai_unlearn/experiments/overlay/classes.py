"""The classes of a bundle, and what its outputs are: one logit for each class, a single one, or one for each label."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from monai_unlearn.experiments.overlay.config_data import components, target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monai_unlearn.experiments.overlay.config_data import ConfigData

Head = Literal["softmax", "sigmoid", "multilabel"]
HEADS: tuple[Head, ...] = ("softmax", "sigmoid", "multilabel")
# What networks of MONAI, torchvision and timm call the number of their outputs, the most telling first.
_OUTPUTS = ("num_classes", "out_channels", "n_classes", "num_outputs", "out_features")


# Losses in expressions, as classes and as functions.
_LOSS = re.compile(r"\b(BCE\w*Loss|MultiLabel\w*Loss|NLLLoss|CrossEntropyLoss)\b")
_FUNCTIONS = {
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
    "binary_cross_entropy": "BCELoss",
    "nll_loss": "NLLLoss",
    "cross_entropy": "CrossEntropyLoss",
}


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """What comes out of the network.

    Attributes:
        names: The names of its channels, in order; empty where nothing says them.
        count: How many outputs the network has; None where nothing says so.
        head: What they are.
    """

    names: tuple[str, ...]
    count: int | None
    head: Head


def outputs_of(metadata: Mapping[str, Any], config: ConfigData, training: ConfigData | None) -> Outputs:
    """Return what a bundle's outputs are, by its metadata (of any schema), network, postprocessing and loss."""
    names = channel_names(metadata)
    count = _count(config.resolved(config.at("network_def")))
    return Outputs(names=names, count=count, head=_head(count or len(names), config, training))


def channel_names(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names in `channel_def` of the output, by their numbers.

    >>> outputs = {"pred": {"channel_def": {"1": "out body", "0": "in body"}}}
    >>> channel_names({"network_data_format": {"outputs": outputs}})
    ('in body', 'out body')
    """
    found = data_format(metadata, "outputs").get("channel_def")
    if isinstance(found, list):
        return tuple(map(str, found))
    if not isinstance(found, dict) or not all(re.fullmatch(r"\d+", str(key)) for key in found):
        return ()
    return tuple(str(found[key]) for key in sorted(found, key=int))


def data_format(metadata: Mapping[str, Any], which: Literal["inputs", "outputs"]) -> Mapping[str, Any]:
    """Return what the metadata say of the image that goes in, or of the prediction that comes out; empty if nothing."""
    found: Any = metadata.get("network_data_format")
    for name in (which, "image" if which == "inputs" else "pred"):
        inner = found.get(name) if isinstance(found, dict) else None
        # A schema of its own may name its only input or output otherwise.
        if inner is None and isinstance(found, dict) and name != which and len(found) == 1:
            inner = next(iter(found.values()))
        found = inner
    return found if isinstance(found, dict) else {}


def _count(network: object) -> int | None:
    if not isinstance(network, dict):
        return None
    found = (network.get(name) for name in _OUTPUTS)
    return next((one for one in found if isinstance(one, int) and not isinstance(one, bool)), None)


def losses_of(training: ConfigData | None) -> list[str]:
    """Return the classes of a training config's components, and the losses that its expressions name."""
    content = dict(training.content) if training else {}
    found = [target(one) for _, one in components(content)]
    for text in _expressions(content):
        found += _LOSS.findall(text)
        found += [_FUNCTIONS[name] for name in re.findall(rf"\b({'|'.join(_FUNCTIONS)})\b", text)]
    return found


def _expressions(value: object) -> Iterator[str]:
    if isinstance(value, str) and value.startswith("$"):
        yield value
    elif isinstance(value, (dict, list)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _expressions(one)


def _head(count: int, config: ConfigData, training: ConfigData | None) -> Head:
    if count == 1:
        return "sigmoid"
    if any(name.startswith(("BCE", "MultiLabel")) for name in losses_of(training)):
        return "multilabel"
    steps = [one for _, one in components(config.resolved(config.at("postprocessing")))]
    threshold = any(one.get("threshold") is not None for one in steps if target(one).startswith("AsDiscrete"))
    chosen = any(one.get("argmax") or one.get("softmax") for one in steps)
    return "multilabel" if threshold and not chosen else "softmax"
