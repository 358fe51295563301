"""How deep to reset a network, from what its blocks learnt about a cohort and without a retrained one."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.block_features import BlockFeatures, block_features
from monai_unlearn.methods.depth_probe import Estimate, Part, Transfer, cohort_auc, shared_classes, transfer
from monai_unlearn.methods.fresh_weights import initialised_afresh
from monai_unlearn.methods.passes import size_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn
    from torch.utils.data import Dataset

    from monai_unlearn.methods.base import MethodContext
    from monai_unlearn.methods.depth import Depth

# The most images of each part whose features are computed: forget and remain training images, and never-trained ones.
MOST = {"forget": 500, "remain": 1000, "validation": 200}
# The gain in transfer from which a block has learnt from the cohort, a share of what it reads on the rest; and the
# one-sided error of the test that there is one, shared by all blocks.
GAIN, ERROR = 0.4, 0.05
_LEVEL = 0.975
# With fewer never-trained images of the cohort than this, its AUC is taken on training images.
MIN_JUDGED = 30
# How many images of each class the sample of remain images has at least, where there are as many.
OF_EVERY_CLASS = 20
_HEAD, _LAST_BLOCK = 0, 1
_EVIDENCE = ("auc", "auc_low", "auc_high", "transfer", "transfer_fresh", "gain", "gain_low")


@dataclass(frozen=True, kw_only=True)
class DepthChoice:
    """A depth, and what was found.

    Attributes:
        depth: `head`, `last_block`, a number of blocks before the head, or `all`.
        why: The rule that applied, in a sentence.
        blocks: The evidence, a block each, the first first: `auc` of the cohort probe with its 95 % interval, `auc_low`
            and `auc_high`; `transfer`, `transfer_fresh`, their difference `gain`, and `gain_low`, its lower bound at an
            error of 5 % shared by all blocks. None where it cannot be measured.
        judged_on: On which images the AUC was taken: `validation`, or `training` where there are too few of those.
        images: How many images were passed through a network.
    """

    depth: Depth
    why: str
    blocks: tuple[Mapping[str, float | None], ...]
    judged_on: str
    images: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {**asdict(self), "blocks": [dict(block) for block in self.blocks]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> DepthChoice:
        """Return what `to_dict` wrote down."""
        return cls(**{**values, "blocks": tuple(values["blocks"])})


def most_images(forget: int, remain: int) -> int:
    """Return how many images `choose_depth` passes through a network at most, for so many training images."""
    return 2 * (min(forget, MOST["forget"]) + min(remain, MOST["remain"]) + MOST["validation"]) + 6


def choose_depth(context: MethodContext) -> DepthChoice:
    """Choose how many blocks to initialise afresh, so that those kept have learnt nothing from the cohort alone.

    1. Where no image of the cohort's classes remains, `head`: kept blocks cannot classify them any more.
    2. For each block, a *class probe* on its features learns the classes from remain images alone; its transfer says
       how much of that holds for the cohort (`Transfer`). A network that never learnt from a camera may read its
       images badly. Where the class probe reads them well on features of the original, though not on those of a fresh
       network of the same form, the blocks up to there have learnt to, for which they needed the cohort.
    3. The first block whose transfer is significantly higher than with fresh features, and by `GAIN`, is the first to
       go, with all after it: that many blocks, or `all` from the very first block.
    4. Where there is none (patients who withdraw, part of a class, a device that anything reads), `last_block`. So
       too where a layer has no way to be initialised afresh, since there is nothing to compare with then.

    A *cohort probe*, which tells forget from remain images within classes, is recorded beside it and chooses nothing:
    its AUC is as high in a retrained network, and in a fresh one, since images of a camera look different whatever was
    learnt. A transfer that retraining would reach as well, because the rest teaches it, counts as learnt from the
    cohort; then the choice is deeper than it need be. `GAIN` was chosen on trials with CIFAR-10, see
    `docs/methods/reset.md`.

    The features are those of at most `MOST` images, drawn from the seed; of remain images, `OF_EVERY_CLASS` of each
    class where there are as many, so that no class seems gone that is rare. Every process comes to the choice of the
    first one.

    Args:
        context: Network and images; `validation` is used where it has both parts.
    """
    kinds = {"forget": context.forget, "remain": _remain(context)}
    rows = {"forget": _rows(context.forget, MOST["forget"], context.seed), "remain": _rows_of_every_class(context)}
    seen = {part: _features(context.network, kinds[part], rows[part], context) for part in kinds}
    images = _passed(seen)
    if _is_gone(seen["forget"], seen["remain"]):
        return DepthChoice(depth="head", why=_WHY["head"], blocks=(), judged_on="training", images=images)
    fresh = _fresh(context)
    if fresh is None:
        return DepthChoice(depth="last_block", why=_WHY["no_fresh"], blocks=(), judged_on="training", images=images)
    unlearnt = {part: _features(fresh, kinds[part], rows[part], context) for part in kinds}
    held = _judged(context)
    images += _passed(unlearnt) + _passed(held)
    judged = held if _tells(held) else {}
    blocks = len(seen["forget"].blocks)
    found = [_evidence(place, seen, unlearnt, judged, context.seed) for place in range(blocks)]
    number = _agreed(_blocks_to_reset(found), context)
    return DepthChoice(
        depth=_named(number, blocks),
        why=_WHY["learnt" if number > _LAST_BLOCK else "head_only" if number == _HEAD else "last_block"],
        blocks=tuple(_plain(*one, blocks=blocks) for one in found),
        judged_on="validation" if judged else "training",
        images=images,
    )


_WHY = {
    "head": "most of the cohort's images are of classes of which no image remains",
    "head_only": "the network has no block before its head",
    "no_fresh": "not all layers can be initialised afresh, so that there is no untrained network to compare with",
    "last_block": "no block before the last one has learnt from the cohort more than from the rest",
    "learnt": "from this block on, what is learnt on remain images holds for the cohort, which it does not on features "
    "of a fresh network",
}


def _evidence(
    place: int,
    seen: Mapping[str, BlockFeatures],
    unlearnt: Mapping[str, BlockFeatures],
    judged: Mapping[str, BlockFeatures],
    seed: int,
) -> tuple[Estimate | None, Transfer | None]:
    """Return both measurements of a block."""
    mine, theirs, mine_fresh, theirs_fresh = (
        _part(features, place) for which in (seen, unlearnt) for features in (which["forget"], which["remain"])
    )
    held = (_part(judged["forget"], place), _part(judged["remain"], place)) if judged else None
    auc = cohort_auc(mine, theirs, judged=held, seed=seed)
    return auc, transfer((mine, mine_fresh), (theirs, theirs_fresh), seed=seed)


def _blocks_to_reset(found: Sequence[tuple[Estimate | None, Transfer | None]]) -> int:
    """Return how many blocks before the head learnt from the cohort, at least the last one."""
    for place, (_, carried) in enumerate(found):
        if carried and carried.gain.value >= GAIN and carried.gain.low(1 - ERROR / len(found)) > 0:
            return len(found) - place
    return min(_LAST_BLOCK, len(found))


def _named(number: int, blocks: int) -> Depth:
    names: dict[int, Depth] = {blocks: "all", _LAST_BLOCK: "last_block", _HEAD: "head"}
    return names.get(number, number)


def _agreed(number: int, context: MethodContext) -> int:
    """Return the number that the first process found: another machine may round otherwise."""
    told = torch.tensor(number if context.rank == 0 else 0, device=context.device)
    return int(context.all_reduce_sum(told))


def _plain(auc: Estimate | None, carried: Transfer | None, *, blocks: int) -> dict[str, float | None]:
    plain: dict[str, float | None] = dict.fromkeys(_EVIDENCE)
    if auc is not None:
        plain |= {"auc": auc.value, "auc_low": max(0.0, auc.low(_LEVEL)), "auc_high": min(1.0, auc.low(1 - _LEVEL))}
    if carried is not None:
        low = carried.gain.low(1 - ERROR / blocks)
        plain |= {"transfer": carried.original, "transfer_fresh": carried.fresh}
        plain |= {"gain": carried.gain.value, "gain_low": low}
    return plain


def _passed(features: Mapping[str, BlockFeatures]) -> int:
    """Return how many images were passed, with the one each that shows the order of the blocks."""
    return sum(len(one) + 1 for one in features.values())


def _is_gone(cohort: BlockFeatures, rest: BlockFeatures) -> bool:
    """Return whether most of the cohort's images are of classes that no image of the rest is of."""
    return bool((~np.isin(cohort.labels, rest.labels)).mean() > 1 / 2)


def _judged(context: MethodContext) -> dict[str, BlockFeatures]:
    """Return features of never-trained images of both parts, where both have some of the same class."""
    if not {"forget", "remain"} <= context.validation.keys():
        return {}
    kinds = {part: context.validation[part] for part in ("forget", "remain")}
    rows = {part: _rows(images, MOST["validation"], context.seed) for part, images in kinds.items()}
    return {part: _features(context.network, images, rows[part], context) for part, images in kinds.items()}


def _tells(judged: Mapping[str, BlockFeatures]) -> bool:
    """Return whether there are enough never-trained images of the cohort to judge a probe by."""
    if not judged:
        return False
    classes = shared_classes(judged["forget"].labels, judged["remain"].labels)
    return int(np.isin(judged["forget"].labels, classes).sum()) >= MIN_JUDGED


def _features(network: nn.Module, images: Dataset[Any], rows: list[int], context: MethodContext) -> BlockFeatures:
    return block_features(network, images, rows, device=context.device)


def _fresh(context: MethodContext) -> nn.Module | None:
    """Return an untrained network of the same form, or None where a layer has no way to be initialised."""
    network = copy.deepcopy(context.network)
    try:
        network.load_state_dict(initialised_afresh(network, seed=context.seed))
    except ConfigError:
        return None
    return network


def _remain(context: MethodContext) -> Dataset[Any]:
    if context.remain is None:
        raise AssertionError("`RemainTraining.prepare` refuses it")
    return context.remain


def _rows(images: Dataset[Any], most: int, seed: int) -> list[int]:
    chosen = torch.randperm(size_of(images), generator=torch.Generator().manual_seed(seed))[:most]
    return sorted(chosen.tolist())


def _rows_of_every_class(context: MethodContext) -> list[int]:
    """Return the rows of a sample of remain images that has some of every class that remains, however rare.

    A class with three images among ten thousand would be missed by most samples, and taken for one that is gone.
    """
    images = _remain(context)
    order = torch.randperm(size_of(images), generator=torch.Generator().manual_seed(context.seed)).tolist()
    most = MOST["remain"]
    if len(order) <= most or not context.remain_labels:
        return sorted(order[:most])
    by_class: dict[int, list[int]] = {}
    for row in order:
        by_class.setdefault(int(context.remain_labels[row]), []).append(row)
    each = max(1, min(OF_EVERY_CLASS, most // len(by_class)))
    # A class that is common enough has as many in the sample anyhow: they stand first, and change nothing.
    kept = [row for rows in by_class.values() for row in rows[:each]]
    taken = set(kept)
    return sorted([*kept, *(row for row in order if row not in taken)][:most])


def _part(features: BlockFeatures, place: int) -> Part:
    return Part(features=features.blocks[place], labels=features.labels)
