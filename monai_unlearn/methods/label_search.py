"""Runs the boundary search over the forget images asked for, in the fastest form that finds the same labels."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.diagnostics import SearchTrace
from monai_unlearn.methods.noise import image_generators

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monai_unlearn.methods.base import MethodContext
    from monai_unlearn.methods.boundary import BoundarySearch

# Images that are searched together: a piece, after which a killed run can go on.
PIECE = 64
# Trying bfloat16 costs a piece of it, which must come back on the others.
WORTH_TRYING = 3
# Quick form: not decided yet, no, yes. A tensor, since it goes into checkpoints with the rest.
UNDECIDED, FLOAT32, BFLOAT16 = 0, 1, 2
_STATE = ("logits", "classes", "gradients", "traced", "done", "form", "reads", "complete")


def chosen_rows(count: int, limit: int | None, seed: int) -> Tensor:
    """Return the first `limit` of the row numbers below `count` in an order that depends on the seed alone.

    A larger limit begins with the rows of a smaller one. Without a limit, all rows in their own order.
    """
    if limit is None or limit >= count:
        return torch.arange(count)
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))[:limit]


def has_bfloat16(device: torch.device) -> bool:
    """Say whether a device computes in bfloat16 natively: where it is emulated, it is slower than float32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    # Older versions of torch do not say what the processor can do; they stay with float32.
    known: Callable[[], Mapping[str, Any]] = getattr(torch.cpu, "get_capabilities", dict)
    capabilities = known()
    return device.type == "cpu" and any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "sve_bf16"))


class LabelSearch:
    """Searches images piece by piece on a frozen copy of the network, and reads the points found.

    The copy's parameters take no gradient, and what reads the points makes no graph. Where the machine computes
    in bfloat16, the first piece is searched in both forms; if all its labels agree, the rest is searched in
    bfloat16 and channels-last memory. The points are always read in float32.

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
        """Gradients of single images taken."""
        return int(self._state["gradients"].sum()) if self._state else 0

    def planned(self, images: int) -> int:
        """Return the gradients of single images that a search among so many takes at the most."""
        searched = min(images, images if self.limit is None else self.limit)
        return self.search.steps * (searched + min(searched, PIECE))

    @property
    def form(self) -> str:
        """In which form the search ran."""
        if not self._state:
            return "not run"
        return "bfloat16, channels last" if self.in_bfloat16 else "float32"

    @property
    def in_bfloat16(self) -> bool:
        """Whether it ran in bfloat16."""
        return bool(self._state) and int(self._state["form"]) == BFLOAT16

    @property
    def reads_in_bfloat16(self) -> bool:
        """Whether images were tried in bfloat16, and read as in float32."""
        return bool(self._state) and bool(self._state["reads"])

    @property
    def trace(self) -> SearchTrace | None:
        """What the search did, step by step, where diagnostics were asked for."""
        if not (self.diagnostics and self._state):
            return None
        return SearchTrace.of(self._state["traced"].sum(0).cpu(), epsilon=self.search.epsilon)

    def state_dict(self) -> dict[str, Any]:
        """Return what was found so far; empty before the search begins."""
        return dict(self._state)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what was found, so that `run` goes on from there.

        Raises:
            ConfigError: The state is not that of a search.
        """
        if state and set(state) != set(_STATE):
            raise ConfigError(
                f"the checkpoint holds {', '.join(sorted(state))} where a boundary search keeps {', '.join(_STATE)}. "
                "Delete the checkpoint to start anew."
            )
        self._state = dict(state)

    def run(self, context: MethodContext) -> None:
        """Search what is still to be searched; several processes share the pieces.

        Args:
            context: The network, the forget images, and how processes share the work.
        """
        count = len(context.forget)  # type: ignore[arg-type]  # torch's Dataset does not declare __len__
        self.rows = chosen_rows(count, self.limit, context.seed)
        pieces = torch.split(self.rows, PIECE)
        frozen = copy.deepcopy(context.network).eval().requires_grad_(requires_grad=False)
        if self._state:
            self._state = {name: torch.as_tensor(value).to(context.device) for name, value in self._state.items()}
        else:
            self._state = self._blank(count, len(pieces), frozen, context)
        if bool(self._state["complete"]):
            return
        if self.float32 or len(pieces) < WORTH_TRYING or not has_bfloat16(context.device):
            self._state["form"].fill_(FLOAT32)
        own = range(context.rank, len(pieces), context.world_size)
        runner = _Runner(context=context, search=self.search, frozen=frozen, diagnostics=self.diagnostics)
        for number in own:
            if not self._state["done"][number]:
                runner.search_piece(number, pieces[number], self._state)
                context.keep()
        self._gather(context, pieces, own)

    def _blank(self, count: int, pieces: int, frozen: nn.Module, context: MethodContext) -> dict[str, Tensor]:
        image = torch.as_tensor(context.forget[0]["image"])[None].to(context.device)
        with torch.no_grad():
            width = frozen(image).shape[1]
        blank = {
            "logits": torch.zeros(count, width),
            "classes": torch.zeros(count, dtype=torch.long),
            "gradients": torch.zeros(pieces, dtype=torch.long),
            "traced": torch.zeros(pieces, self.search.steps if self.diagnostics else 0, 4, dtype=torch.float64),
            "done": torch.zeros(pieces, dtype=torch.bool),
            "form": torch.tensor(UNDECIDED),
            "reads": torch.tensor(0),
            "complete": torch.tensor(0),
        }
        return {name: value.to(context.device) for name, value in blank.items()}

    def _gather(self, context: MethodContext, pieces: tuple[Tensor, ...], own: range) -> None:
        """Add up what the processes found; what another one searched counts there and not here."""
        others = [number for number in range(len(pieces)) if number not in own]
        if others:
            strangers = torch.cat([pieces[number] for number in others]).to(context.device)
            for name, places in (("logits", strangers), ("classes", strangers)):
                self._state[name][places] = 0
            for name in ("gradients", "traced"):
                self._state[name][torch.tensor(others, device=context.device)] = 0
        for name in ("logits", "classes", "gradients", "traced"):
            self._state[name] = context.all_reduce_sum(self._state[name])
        self._state["done"].fill_(value=True)
        self._state["complete"].fill_(1)


class _Runner:
    """Searches piece by piece, and decides at the first one in which form the others are searched."""

    def __init__(self, *, context: MethodContext, search: BoundarySearch, frozen: nn.Module, diagnostics: bool) -> None:
        self.context = context
        self.search = search
        self.frozen = frozen
        self.diagnostics = diagnostics
        self._quick: Callable[[Tensor], Tensor] | None = None

    def search_piece(self, number: int, rows: Tensor, state: dict[str, Tensor]) -> None:
        """Search one piece and write what it gives into the state."""
        batch = next(iter(DataLoader(Subset(self.context.forget, rows.tolist()), batch_size=len(rows))))
        images, classes = (torch.as_tensor(batch[key]).to(self.context.device) for key in ("image", "label"))
        trace = SearchTrace() if self.diagnostics else None
        form = int(state["form"])
        network = self.quick if form == BFLOAT16 else self.frozen
        logits = self._find(network, images, classes, rows, trace)
        searched = 1
        if form == UNDECIDED:
            agrees = torch.equal(logits.argmax(1), self._find(self.quick, images, classes, rows).argmax(1))
            state["form"].fill_(BFLOAT16 if agrees else FLOAT32)
            state["reads"].fill_(self._reads_alike(images))
            searched = 2
        places = rows.to(self.context.device)
        state["logits"][places], state["classes"][places] = logits, classes
        state["gradients"][number] = searched * self.search.steps * len(rows)
        if trace is not None:
            state["traced"][number] = trace.table().to(self.context.device)
        state["done"][number] = True

    def _reads_alike(self, images: Tensor) -> bool:
        """Tell whether the images themselves are read in bfloat16 as in float32, which is what steps need.

        The search needs more: signs of gradients close to 0, of which its points are made.
        """
        with torch.no_grad():
            return torch.equal(self.frozen(images).argmax(1), self.quick(images).argmax(1))

    @property
    def quick(self) -> Callable[[Tensor], Tensor]:
        """The frozen network in bfloat16, made when it is first needed."""
        if self._quick is None:
            self._quick = _in_bfloat16(self.frozen)
        return self._quick

    def _find(
        self,
        network: Callable[[Tensor], Tensor],
        images: Tensor,
        classes: Tensor,
        rows: Tensor,
        trace: SearchTrace | None = None,
    ) -> Tensor:
        points = self.search.find(
            network,
            images,
            classes,
            pixel_space=self.context.pixel_space,
            generators=image_generators(self.context.seed, rows.tolist()) if self.search.noise else (),
            trace=trace,
        )
        # In float32 like the reading of points: so close to a boundary, bfloat16 may read another class.
        points = self.search.bisect_to_boundary(self.frozen, images, points, classes)
        with torch.no_grad():
            logits: Tensor = self.frozen(points).float()
        return logits


def channels_last(network: nn.Module) -> nn.Module:
    """Put a network into channels-last memory, where convolutions of pictures are faster; volumes stay as they are."""
    if any(parameter.ndim == 5 for parameter in network.parameters()):  # noqa: PLR2004 - kernels of volumes
        return network
    moved: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    return moved


def _in_bfloat16(frozen: nn.Module) -> Callable[[Tensor], Tensor]:
    """Return the same network in bfloat16 and, for pictures, channels-last memory."""
    network = channels_last(copy.deepcopy(frozen))

    def read(images: Tensor) -> Tensor:
        if images.ndim == 4:  # noqa: PLR2004 - (batch, channel, height, width)
            images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(images.device.type, dtype=torch.bfloat16):
            logits: Tensor = network(images)
        return logits.float()

    return read
