"""What a network gives out, presented as one logit for each class, whatever its head is.

Methods, metrics and the verdict know classifiers with a logit for each class alone. A network with another head is
presented as one by a forward hook: modules, parameters and the state dict stay those of the bundle, and whatever calls
the network, or a copy of it, gets the logits of classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from monai_unlearn.data.label_sets import MOST_LABELS
from monai_unlearn.errors import ConfigError, check_choice
from monai_unlearn.methods import registered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monai_unlearn.methods import MethodInfo

    Loss = Callable[[Tensor, Tensor], Tensor]

SOFTMAX, SIGMOID, MULTILABEL = "softmax", "sigmoid", "multilabel"
HEADS = (SOFTMAX, SIGMOID, MULTILABEL)
# The key of the main output in networks that return a dict, as those of torchvision do.
MAIN = "out"
TWO = 2


@dataclass(kw_only=True)
class Head:
    """A forward hook that returns the logits of classes, shape (batch, class).

    Args:
        kind: One of `HEADS`. `softmax`: the network gives a logit for each class. `sigmoid`: it gives one logit z, of
            the second class. The softmax of (0, z) is exactly (1 − sigmoid(z), sigmoid(z)), and its cross entropy is
            the binary cross entropy of z. `multilabel`: it gives a logit z_k for each of K labels, of which an image
            may have several. Its classes are the 2^K sets of labels, with the logits Σ_{k in set} z_k: their softmax is
            exactly the product of the labels' Bernoulli probabilities, and its cross entropy is the sum of the K
            binary cross entropies. Bit k of the number of a set is label k.
        output: Of a network that returns several outputs, which one is revised: its position in a tuple or list, or its
            key in a dict. None for the first one, and for `out`.
        has_others: Whether the network returned others beside it so far, such as those of auxiliary heads.
    """

    kind: str = SOFTMAX
    output: int | str | None = None
    has_others: bool = False

    def __call__(self, _network: nn.Module, _inputs: object, outputs: Any) -> Tensor:  # noqa: ANN401 - any network's
        """Return the logits.

        Raises:
            ConfigError: There is no such output.
        """
        logits = outputs if isinstance(outputs, Tensor) else self._main(outputs)
        if logits.ndim > TWO and logits.shape[2:].numel() == 1:  # a head that is a convolution
            logits = logits.flatten(1)
        if self.kind == SOFTMAX:
            return logits
        if logits.ndim == 1:
            logits = logits[:, None]
        if self.kind == MULTILABEL:
            return logits @ _sets(logits.shape[1], like=logits)
        return torch.cat([torch.zeros_like(logits[:, :1]), logits], dim=1)

    def _main(self, outputs: Any) -> Tensor:  # noqa: ANN401 - any network's
        """Return the main one of several outputs."""
        wanted: Any = self.output
        if wanted is None:
            wanted = MAIN if isinstance(outputs, Mapping) else 0
        try:
            found = outputs[wanted]
        except (KeyError, IndexError, TypeError):
            found = None
        if not isinstance(found, Tensor):
            there = ", ".join(map(str, outputs)) if isinstance(outputs, Mapping) else f"{_count(outputs)} outputs"
            raise ConfigError(
                f"network_output: expected a tensor as output {wanted!r} of the network, whose outputs are: {there}. "
                "Name the output that holds the logits, such as --network_output 0."
            )
        self.has_others |= len(outputs) > 1
        return found

    def notes(self) -> list[str]:
        """Return what a reader of the results must know about outputs that are not revised."""
        if not self.has_others:
            return []
        note = (
            "The network has outputs beside the one that was revised, such as auxiliary heads. No loss reaches the "
            "weights of those alone: they may hold what they learnt from the forget part. What the bundle predicts "
            "does not use them."
        )
        return [note]


def as_classifier(network: nn.Module, head: str | None = None, network_output: int | str | None = None) -> nn.Module:
    """Present a network, in place, as a classifier with a logit for each class; return the network.

    Args:
        network: The network. Its modules and its state dict stay as they are.
        head: See `Head.kind`; None for what the network is presented with already, or softmax.
        network_output: See `Head.output`; likewise.

    Raises:
        ConfigError: There is no such head.

    >>> network = as_classifier(nn.Linear(2, 1), head="sigmoid")
    >>> tuple(network(torch.zeros(3, 2)).shape), sorted(network.state_dict())
    ((3, 2), ['bias', 'weight'])
    """
    before = head_of(network)
    kind = before.kind if head is None else head
    check_choice(kind, HEADS, name="head")
    output = before.output if network_output is None else network_output
    hooks = network._forward_hooks  # noqa: SLF001 - torch has no public way to list hooks
    for key in [key for key, hook in hooks.items() if isinstance(hook, Head)]:
        del hooks[key]
    network.register_forward_hook(Head(kind=kind, output=output), prepend=True)
    return network


def head_of(network: nn.Module) -> Head:
    """Return the head that a network is presented with; one of softmax where nothing is presented."""
    hooks = network._forward_hooks.values()  # noqa: SLF001 - as above
    return next((hook for hook in hooks if isinstance(hook, Head)), Head())


def with_head_of(network: nn.Module, other: nn.Module) -> nn.Module:
    """Present a network as another one is, in place, and return it."""
    head = head_of(other)
    return as_classifier(network, head.kind, head.output)


def _sets(count: int, *, like: Tensor) -> Tensor:
    """Return which label, a row, is in which set of labels, a column: shape (label, 2^label)."""
    if count > MOST_LABELS:
        raise ConfigError(
            f"head: multilabel takes networks with at most {MOST_LABELS} labels, got {count} outputs. Of several "
            "labels, each set is a class to methods."
        )
    label = torch.arange(count, device=like.device)
    return (torch.arange(2**count, device=like.device) >> label[:, None] & 1).to(like.dtype)


def check_head(network: nn.Module, class_names: Sequence[str], labels: Sequence[str] = ()) -> None:
    """Refuse a head that does not fit the classes.

    Args:
        network: The network, presented by its head.
        class_names: The classes.
        labels: The labels, where the images may have several.

    Raises:
        ConfigError: One logit is not that of two classes, or the images have several labels and the network one class
            for each, or the other way round.
    """
    if (head_of(network).kind == MULTILABEL) != bool(labels):
        raise ConfigError(
            "head: multilabel and data::label_key belong together: the head says that an image may have several "
            "labels, label_key in which columns of the index they are. Set both, or neither."
        )
    if head_of(network).kind == SIGMOID and len(class_names) != TWO:
        raise ConfigError(
            "head: a network with one logit tells two classes apart: expected two class_names, first that of images "
            f"whose logit is low, got {', '.join(class_names)}. Set class_names, such as [normal, tumor]."
        )


def check_method(info: MethodInfo, head: str) -> None:
    """Refuse a method that does not know what to do with several labels.

    Raises:
        ConfigError: It does not; the message lists those that do.
    """
    if head == MULTILABEL and not info.multilabel:
        able = sorted(name for name, (one, _) in registered().items() if one.multilabel)
        raise ConfigError(
            f"method: {info.name} adds a class to the network, and several labels have none to add. Methods for "
            f"several labels are {', '.join(able)}."
        )


def output_names(names: Sequence[str], network: nn.Module, head: str | None = None) -> list[str]:
    """Return what the outputs of a network itself say, in their order: of one logit, the second class.

    Args:
        names: The classes.
        network: The network.
        head: What it gives out; None for what it is presented with.

    Raises:
        ConfigError: There is no such head.
    """
    inner = network.module if isinstance(network, DistributedDataParallel) else network
    kind = head_of(inner).kind if head is None else head
    check_choice(kind, HEADS, name="head")
    return list(names[1:] if kind == SIGMOID else names)


def loss_of_classes(loss: Loss, head: str) -> Loss:
    """Return training's own loss as one of the logits of classes and of class numbers.

    `torch.nn.CrossEntropyLoss` is one already. Any other loss of a network with one logit or several labels, such as
    `torch.nn.BCEWithLogitsLoss`, is given the logits of the network itself, shape (batch, label), and of each 1 where
    the image has the label (or is of the second class) and 0 where not, as numbers of that shape.

    Args:
        loss: The loss of the training config.
        head: See `Head.kind`.
    """
    if head == SOFTMAX or isinstance(loss, nn.CrossEntropyLoss):
        return loss

    def of_binary(logits: Tensor, labels: Tensor) -> Tensor:
        # One logit is that of one label: its sets are without and with it.
        label = torch.arange(logits.shape[1].bit_length() - 1, device=logits.device)
        own = logits[:, 2**label] - logits[:, :1]
        return loss(own, (labels[:, None] >> label & 1).to(logits.dtype))

    return of_binary


def outputs_in_words(shape: tuple[int, ...], head: str) -> str:
    """Return the shape of a presented network's output as the network itself gives it, for messages."""
    if not shape or head == SOFTMAX:
        return str(shape)
    return str((*shape[:-1], shape[-1] - 1 if head == SIGMOID else shape[-1].bit_length() - 1))


def _count(outputs: Any) -> int:  # noqa: ANN401 - any network's
    return len(outputs) if isinstance(outputs, (tuple, list)) else 1
