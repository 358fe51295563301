"""Searches all forget images for a label across the boundary, in chunks, in the fastest form that finds the same."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.base import FORWARD_PASS
from monai_unlearn.methods.chunk_search import BFLOAT16, FLOAT32, UNDECIDED, ChunkSearch
from monai_unlearn.methods.diagnostics import SearchTrace
from monai_unlearn.methods.low_precision import has_bfloat16
from monai_unlearn.methods.passes import frozen_copy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.methods.base import MethodContext
    from monai_unlearn.methods.boundary import BoundarySearch

# Images searched together; after each chunk the state is checkpointed.
CHUNK_SIZE = 64
# Trying bfloat16 costs a chunk, which it must save on the others.
MIN_CHUNKS_FOR_BFLOAT16 = 3
_STATE = ("logits", "classes", "gradients", "traced", "done", "precision", "predictions_agree", "complete")


def chosen_rows(count: int, limit: int | None, seed: int) -> Tensor:
    """Return the first `limit` of the row numbers below `count` in an order that depends on the seed alone.

    A larger limit begins with the rows of a smaller one. Without a limit, all rows in their own order.
    """
    if limit is None or limit >= count:
        return torch.arange(count)
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))[:limit]


class LabelSearch:
    """Searches images chunk by chunk on a frozen copy of the network, and keeps its logits at the points found.

    The copy's parameters take no gradient, and logits at the points are computed without a graph. Where the machine
    computes in bfloat16, the first chunk is searched in both precisions; if all its labels agree, the rest is searched
    in bfloat16 and channels-last memory. Logits at the points are always computed in float32.

    Args:
        search: The search of one batch.
        limit: How many images to search, chosen by seed; all if None.
        float32: Search in float32 whatever the machine can do.
        diagnostics: Measure every step of the search.
    """

    def __init__(
        self, search: BoundarySearch, *, limit: int | None = None, float32: bool = False, diagnostics: bool = False
    ) -> None:
        self.search = search
        self.limit = limit
        self.float32 = float32
        self.diagnostics = diagnostics
        self.rows = torch.empty(0, dtype=torch.long)
        self._state: dict[str, Tensor] = {}

    @property
    def logits(self) -> Tensor:
        """The copy's logits at the points found, shape (image, class), float32; 0 where not searched."""
        return self._state["logits"]

    @property
    def classes(self) -> Tensor:
        """The images' own classes, shape (image,); 0 where not searched."""
        return self._state["classes"]

    @property
    def gradients(self) -> int:
        """Gradients of single images taken so far."""
        return int(self._state["gradients"].sum()) if self._state else 0

    @property
    def forwards(self) -> int:
        """Single images passed through the copy without a gradient, once the search is complete."""
        if not self._state:
            return 0
        searched = self.gradients // self.search.steps
        return self._forwards(searched, twice=searched - len(self.rows))

    def planned(self, images: int) -> float:
        """Return the most that a search among so many images costs, in gradient evaluations."""
        searched = min(images, images if self.limit is None else self.limit)
        tries_bfloat16 = not self.float32 and math.ceil(searched / CHUNK_SIZE) >= MIN_CHUNKS_FOR_BFLOAT16
        twice = CHUNK_SIZE if tries_bfloat16 else 0
        forwards = self._forwards(searched + twice, twice=twice)
        return self.search.steps * (searched + twice) + FORWARD_PASS * forwards

    def _forwards(self, searched: int, *, twice: int) -> int:
        """Return the forward passes of a search: bisections and the label; predictions of those searched twice."""
        return searched * (self.search.bisection_steps + 1) + 2 * twice + 1

    @property
    def precision(self) -> str:
        """The precision of the search, as the log reports it."""
        if not self._state:
            return "not run"
        return "bfloat16, channels last" if int(self._state["precision"]) == BFLOAT16 else "float32"

    @property
    def predictions_agree(self) -> bool:
        """Whether the first chunk was tried in bfloat16 and its images were predicted as in float32."""
        return bool(self._state) and bool(self._state["predictions_agree"])

    @property
    def trace(self) -> SearchTrace | None:
        """Measures of each step of the search; None without `diagnostics`."""
        if not (self.diagnostics and self._state):
            return None
        return SearchTrace.of(self._state["traced"].sum(0).cpu(), epsilon=self.search.epsilon)

    def state_dict(self) -> dict[str, Any]:
        """Return what was found so far; empty before the search begins."""
        return dict(self._state)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned; `run` continues from there.

        Raises:
            ConfigError: The state is not that of a search.
        """
        if state and set(state) != set(_STATE):
            raise ConfigError(
                f"the checkpoint holds {', '.join(sorted(state))}, but a boundary search keeps {', '.join(_STATE)}. "
                "Delete the checkpoint to start from scratch."
            )
        self._state = dict(state)

    def run(self, context: MethodContext, *, labeller: nn.Module | None = None) -> None:
        """Search the chunks that are not done; with several processes, each searches a share of them.

        Args:
            context: The network, the forget images, and how processes share the work.
            labeller: The network whose logits at the points are kept, in eval mode; the copy itself where None.
        """
        count = len(context.forget)  # type: ignore[arg-type]  # torch's Dataset does not declare __len__
        self.rows = chosen_rows(count, self.limit, context.seed)
        chunks = torch.split(self.rows, CHUNK_SIZE)
        frozen = frozen_copy(context.network)
        if self._state:
            self._state = {name: torch.as_tensor(value).to(context.device) for name, value in self._state.items()}
        else:
            self._state = self._blank(count, len(chunks), frozen, context)
        if bool(self._state["complete"]):
            return
        if self.float32 or len(chunks) < MIN_CHUNKS_FOR_BFLOAT16 or not has_bfloat16(context.device):
            self._state["precision"].fill_(FLOAT32)
        own = range(context.rank, len(chunks), context.world_size)
        search = ChunkSearch(
            context=context, search=self.search, frozen=frozen, diagnostics=self.diagnostics, labeller=labeller
        )
        for number in own:
            if not self._state["done"][number]:
                search.run(number, chunks[number], self._state)
                context.checkpoint()
        self._all_reduce(context, chunks, own)

    def _blank(self, count: int, chunks: int, frozen: nn.Module, context: MethodContext) -> dict[str, Tensor]:
        image = torch.as_tensor(context.forget[0]["image"])[None].to(context.device)
        with torch.no_grad():
            width = frozen(image).shape[1]
        blank = {
            "logits": torch.zeros(count, width),
            "classes": torch.zeros(count, dtype=torch.long),
            "gradients": torch.zeros(chunks, dtype=torch.long),
            "traced": torch.zeros(chunks, self.search.steps if self.diagnostics else 0, 4, dtype=torch.float64),
            "done": torch.zeros(chunks, dtype=torch.bool),
            "precision": torch.tensor(UNDECIDED),
            "predictions_agree": torch.tensor(0),
            "complete": torch.tensor(0),
        }
        return {name: value.to(context.device) for name, value in blank.items()}

    def _all_reduce(self, context: MethodContext, chunks: tuple[Tensor, ...], own: range) -> None:
        """Add up the results of all processes, each counting its own chunks only."""
        others = [number for number in range(len(chunks)) if number not in own]
        if others:
            rows = torch.cat([chunks[number] for number in others]).to(context.device)
            for name in ("logits", "classes"):
                self._state[name][rows] = 0
            for name in ("gradients", "traced"):
                self._state[name][torch.tensor(others, device=context.device)] = 0
        for name in ("logits", "classes", "gradients", "traced"):
            self._state[name] = context.all_reduce_sum(self._state[name])
        self._state["done"].fill_(value=True)
        self._state["complete"].fill_(1)
