"""Searches one chunk of forget images, and decides on the first chunk in which precision the others are searched."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from monai_unlearn.methods.diagnostics import SearchTrace
from monai_unlearn.methods.low_precision import in_bfloat16
from monai_unlearn.methods.noise import image_generators

if TYPE_CHECKING:
    from collections.abc import Callable

    from monai_unlearn.methods.base import MethodContext
    from monai_unlearn.methods.boundary import BoundarySearch

# Precision of the search. Numbers, since they go into checkpoints as tensors with the rest of the state.
UNDECIDED, FLOAT32, BFLOAT16 = 0, 1, 2


class ChunkSearch:
    """Searches chunks on a frozen network, one after the other.

    Args:
        context: The forget images, the pixel space, the device and the seed.
        search: The search of one batch.
        frozen: The network to search on, in eval mode, without gradients of its parameters.
        labeller: The network, of the same kind, whose logits at the points are kept; `frozen` itself where None.
        diagnostics: Measure every step of the search.
    """

    def __init__(
        self,
        *,
        context: MethodContext,
        search: BoundarySearch,
        frozen: nn.Module,
        diagnostics: bool,
        labeller: nn.Module | None = None,
    ) -> None:
        self.context = context
        self.search = search
        self.frozen = frozen
        self.diagnostics = diagnostics
        self.labeller = frozen if labeller is None else labeller

    def run(self, number: int, rows: Tensor, state: dict[str, Tensor]) -> None:
        """Search one chunk and write the result into the state of a `LabelSearch`.

        Args:
            number: Number of the chunk, from 0.
            rows: Rows of its images, shape (image,).
            state: Changed in place. Where its precision is undecided, the chunk is searched in both and decides it.
        """
        images, classes = self._load(rows)
        trace = SearchTrace() if self.diagnostics else None
        undecided = int(state["precision"]) == UNDECIDED
        network = self._low_precision if int(state["precision"]) == BFLOAT16 else self.frozen
        logits = self._logits_at_points(network, images, classes, rows, trace)
        if undecided:
            other = self._logits_at_points(self._low_precision, images, classes, rows)
            agrees = torch.equal(logits.argmax(1), other.argmax(1))
            state["precision"].fill_(BFLOAT16 if agrees else FLOAT32)
            state["predictions_agree"].fill_(self._predictions_agree(images))
        places = rows.to(self.context.device)
        state["logits"][places], state["classes"][places] = logits, classes
        state["gradients"][number] = (2 if undecided else 1) * self.search.steps * len(rows)
        if trace is not None:
            state["traced"][number] = trace.table().to(self.context.device)
        state["done"][number] = True

    def _load(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        batch = next(iter(DataLoader(Subset(self.context.forget, rows.tolist()), batch_size=len(rows))))
        images, classes = (torch.as_tensor(batch[key]).to(self.context.device) for key in ("image", "label"))
        return images, classes

    def _predictions_agree(self, images: Tensor) -> bool:
        """Return whether both precisions predict the same classes for the images themselves, which steps need.

        The search needs more: its points follow the signs of gradients close to 0.
        """
        with torch.no_grad():
            return torch.equal(self.frozen(images).argmax(1), self._low_precision(images).argmax(1))

    @cached_property
    def _low_precision(self) -> Callable[[Tensor], Tensor]:
        return in_bfloat16(self.frozen)

    def _logits_at_points(
        self,
        network: Callable[[Tensor], Tensor],
        images: Tensor,
        classes: Tensor,
        rows: Tensor,
        trace: SearchTrace | None = None,
    ) -> Tensor:
        """Search on a network of either precision; return the float32 network's logits at the points found."""
        points = self.search.find(
            network,
            images,
            classes,
            pixel_space=self.context.pixel_space,
            generators=image_generators(self.context.seed, rows.tolist()) if self.search.noise else (),
            trace=trace,
        )
        # Bisection and labels take float32: so close to a boundary, bfloat16 may predict another class.
        points = self.search.bisect_to_boundary(self.frozen, images, points, classes)
        with torch.no_grad():
            logits: Tensor = self.labeller(points).float()
        return logits
