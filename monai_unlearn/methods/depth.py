"""The blocks of a network in the order in which they run, from which a depth is counted back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.logit_ensemble import LogitEnsemble

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from monai_unlearn.methods.base import MethodContext

Depth = Literal["head", "last_block", "all"] | int
DEPTHS = ("head", "last_block", "all")
# Containers that run their children one after the other. Their subclasses (a dense block) are a block of their own.
_CHAINS = (nn.Sequential, nn.ModuleList)
_NORMALISATIONS = (
    nn.modules.batchnorm._NormBase,  # noqa: SLF001 - torch has no public base
    nn.GroupNorm,
    nn.LayerNorm,
    nn.RMSNorm,
)


@dataclass(frozen=True, kw_only=True)
class Block:
    """Modules with weights that run one after the other.

    Attributes:
        names: Their names within the network, in the order in which they run.
    """

    names: tuple[str, ...]


def check_depth(depth: object, *, also: Sequence[str] = (), name: str = "depth", known: Sequence[str] = DEPTHS) -> None:
    """Refuse what is no depth.

    Args:
        depth: What was given.
        also: Further words that are allowed.
        name: The name of the setting in the message.
        known: The words of `DEPTHS` that are allowed.

    Raises:
        ConfigError: It is neither one of the words nor a whole number of at least 1.
    """
    words = (*also, *known)
    if depth in words or (isinstance(depth, int) and not isinstance(depth, bool) and depth >= 1):
        return
    raise ConfigError(f"{name}: expected {', '.join(words)} or a number of blocks of at least 1, got {depth!r}.")


def modules_within(
    network: nn.Module, depth: Depth, image: Tensor, *, name: str = "depth", known: Sequence[str] = DEPTHS
) -> tuple[str, ...]:
    """Return the names of the modules that a depth comprises, in the order in which they run.

    The head is the last layer with weights. `last_block` is the head and the block before it, a number n the head and
    the n blocks before it, `all` every module.

    Args:
        network: Any network; it is run once, without gradients, in eval mode.
        depth: How deep, from the output.
        image: One input of the network, shape (channel, *spatial), on its device. Only its shape counts.
        name: The name of the setting in messages.
        known: The words of `DEPTHS` that the setting takes.

    Raises:
        ConfigError: The network has fewer blocks than that.
    """
    check_depth(depth, name=name, known=known)
    if depth == "all":
        return ("",)
    blocks = blocks_of(network, image)
    wanted = {"head": 0, "last_block": 1}.get(str(depth), depth)
    if int(wanted) >= len(blocks):
        raise ConfigError(
            f"{name}: the network has {len(blocks) - 1} blocks before its head, fewer than {wanted}. "
            f"Give {' or '.join(_that_fit(known, blocks=len(blocks) - 1))}."
        )
    return tuple(module for block in blocks[len(blocks) - 1 - int(wanted) :] for module in block.names)


def _that_fit(known: Sequence[str], *, blocks: int) -> list[str]:
    """Return what may be given for a network with so many blocks before its head."""
    return [*(["a smaller number"] if blocks else []), *(word for word in known if blocks or word != "last_block")]


def is_within(name: str, modules: Iterable[str]) -> bool:
    """Return whether a module or parameter is one of some modules or in one; an empty name is the whole network.

    >>> is_within("fc.weight", ["fc"]), is_within("fc2.weight", ["fc"])
    (True, False)
    """
    return any(module in ("", name) or name.startswith(f"{module}.") for module in modules)


def blocks_of(network: nn.Module, image: Tensor) -> list[Block]:
    """Return the blocks of a network in the order in which they run; the last one is its head.

    Chains of modules are taken apart (`nn.Sequential`, and a module that is the only one beside the head). A module
    that remains whole although it holds others, such as a residual or dense block, begins a block, to which single
    layers after it belong; what runs before the first one is a block as well. In a network of single layers, each
    layer begins a block. A normalisation belongs to the block before it.

    Where a network returns several outputs, and is presented with one of them (see `engine/head.py`), what that one
    does not depend on is in no block: an auxiliary head may run last, but is not the head.

    Args:
        network: Any network; it is run once, without gradients, in eval mode, and once more with gradients where it
            returns several outputs.
        image: One input, shape (channel, *spatial), on the network's device.

    Raises:
        ConfigError: The network is an ensemble.
    """
    if isinstance(network, LogitEnsemble):
        raise ConfigError(
            "depth: the network is an ensemble of two, which has no last layer of its own. Revise the two that it is "
            "composed of, and compose them again."
        )
    units = _units(network, _order(network, image))
    head = max((place for place, (_, module) in enumerate(units) if not _is_normalisation(module)), default=0)
    has_composites = any(_is_composite(module) for _, module in units[:head])
    blocks: list[list[str]] = []
    for name, module in units[:head]:
        begins = _is_composite(module) if has_composites else not _is_normalisation(module)
        if begins or not blocks:
            blocks.append([])
        blocks[-1].append(name)
    return [Block(names=tuple(names)) for names in [*blocks, [name for name, _ in units[head:]]]]


def blank_image(context: MethodContext) -> Tensor:
    """Return zeros of the shape of an image, (channel, *spatial), so that what is found with it depends on no image."""
    items = context.forget if context.remain is None else context.remain
    return torch.zeros_like(torch.as_tensor(items[0]["image"]), device=context.device)


def _order(network: nn.Module, image: Tensor) -> dict[nn.Module, int]:
    """Return the position at which each module that holds weights itself runs first."""
    order: dict[nn.Module, int] = {}
    several: list[bool] = []

    def note(ran: nn.Module, _inputs: object) -> None:
        order.setdefault(ran, len(order))

    def note_outputs(_network: nn.Module, _inputs: object, outputs: object) -> None:
        several.append(not isinstance(outputs, Tensor))

    hooks = [
        module.register_forward_pre_hook(note)
        for module in network.modules()
        if any(True for _ in module.parameters(recurse=False))
    ]
    # The first of its hooks, so that it sees all outputs and not the presented one.
    hooks.append(network.register_forward_hook(note_outputs, prepend=True))
    modes = {module: module.training for module in network.modules()}
    try:
        network.eval()
        with torch.no_grad():
            outputs = network(image[None])
        if several[0] and isinstance(outputs, Tensor):
            used = _used(network, image)
            order = {module: place for module, place in order.items() if used & {*module.parameters(recurse=False)}}
    finally:
        for hook in hooks:
            hook.remove()
        for module, training in modes.items():
            module.training = training
    return order


def _used(network: nn.Module, image: Tensor) -> set[nn.Parameter]:
    """Return the parameters that the presented output depends on, by gradients; frozen ones as well."""
    own = {name: weight for name, weight in network.named_parameters() if weight.is_floating_point()}
    weights = {name: weight.detach().requires_grad_() for name, weight in own.items()}
    with torch.enable_grad():
        logits = torch.func.functional_call(network, weights, (image[None],))
        gradients = torch.autograd.grad(logits.sum(), list(weights.values()), allow_unused=True)
    return {weight for weight, gradient in zip(own.values(), gradients, strict=True) if gradient is not None}


def _units(network: nn.Module, order: dict[nn.Module, int]) -> list[tuple[str, nn.Module]]:
    """Return the modules that chains are made of, in the order in which they run."""
    units = _ordered([*_opened("", network, force=True)], order)
    # A network that is an encoder and a head, or wraps another: take its only composite apart.
    while sum(_is_composite(module) for _, module in units) == 1:
        taken = [part for name, module in units for part in _opened(name, module, force=_is_composite(module))]
        units = _ordered(taken, order)
    return units


def _opened(name: str, module: nn.Module, *, force: bool = False) -> Iterator[tuple[str, nn.Module]]:
    """Yield the children of a chain, and theirs if they are chains; any other module itself."""
    if not (force or type(module) in _CHAINS) or not _is_composite(module):
        yield name, module
        return
    for child_name, child in module.named_children():
        yield from _opened(f"{name}.{child_name}" if name else child_name, child)


def _ordered(units: Sequence[tuple[str, nn.Module]], order: dict[nn.Module, int]) -> list[tuple[str, nn.Module]]:
    """Return the units that hold weights and run, in the order in which they first do."""
    first = {
        (name, module): min(order[inner] for inner in module.modules() if inner in order)
        for name, module in units
        if any(inner in order for inner in module.modules())
    }
    return sorted(first, key=first.__getitem__)


def _is_composite(module: nn.Module) -> bool:
    """Return whether a module holds others with weights."""
    return any(any(True for _ in child.parameters()) for child in module.children())


def _is_normalisation(module: nn.Module) -> bool:
    return isinstance(module, _NORMALISATIONS)
