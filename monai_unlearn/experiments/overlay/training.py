"""The overlay by which a bundle's own training takes its images from an index, where it can be pointed at one."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.overlay.config_data import ConfigData, components, target
from monai_unlearn.experiments.overlay.facts import OWN_TRAINING
from monai_unlearn.experiments.overlay.settings import flow, line
from monai_unlearn.experiments.overlay.transforms import LABEL, keys_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monai_unlearn.experiments.overlay.settings import Choices

# Data sets of MONAI and torch whose `data` is a list of items.
_DATASETS = ("Dataset", "CacheDataset", "SmartCacheDataset", "PersistentDataset", "LMDBDataset", "CacheNTransDataset")
_TRAINER = "SupervisedTrainer"
_SECTION = "train"
_UNUSED = ("run", "finalize", "evaluating", "validate", "val_handlers", "val_dataset", "val_dataloader", "evaluator")
_OF_ONE_LOGIT = (
    "$lambda batch, device, non_blocking, **_: (batch['image'].to(device), batch['label'].to(device)[:, None].float())"
)


@dataclass(frozen=True, kw_only=True)
class TrainingOverlay:
    """What `train_reference.yaml` changes in a training config.

    Attributes:
        config: The training config.
        edits: The new values, by the ids of what they replace.
        learning_rate: The rate that training reached; None where the config names one itself.
    """

    config: ConfigData
    edits: Mapping[str, Any] = field(default_factory=dict)
    learning_rate: float | None = None

    @classmethod
    def of(cls, config: ConfigData, *, head: str) -> TrainingOverlay:
        """Point a training config at an index.

        Args:
            config: The config.
            head: What the network gives out.

        Raises:
            ConfigError: It cannot be; the message says why, as the end of a sentence.
        """
        name, trainer = _trainer(config)
        loader = _reference(config, trainer, "train_data_loader", f"{name}::train_data_loader")
        images = _images(config, loader)
        optimizer = _reference(config, trainer, "optimizer", f"{name}::optimizer")
        loss = _reference(config, trainer, "loss_function", f"{name}::loss_function")
        rate = config.resolved(config.at(f"{optimizer}::lr"))
        if not isinstance(rate, (int, float)):
            raise ConfigError(f"{optimizer} has no plain learning rate `lr`")
        edits = {
            f"{images}::data": "$@data.items(@parts, 'train')",
            f"{loader}::num_workers": 0,
            f"{optimizer}::lr": "@learning_rate",
            **_of_trainer(config, name, trainer, head),
            **_of_section(config, name, head, loss=loss, optimizer=optimizer),
        }
        if head == "multilabel":
            edits[loss] = _loss_of_sets(config.at(loss), loss)
        known = config.at("learning_rate") is not None
        overlay = cls(config=config, edits=edits, learning_rate=None if known else float(rate))
        return overlay if _SECTION not in config.content else overlay._without_unused(name)

    def documents(self, class_names: Sequence[str], choices: Choices, *, weights: str) -> dict[str, Any]:
        """Return the variables of the template.

        Args:
            class_names: The classes.
            choices: What the user says.
            weights: Where the bundle's weights are, within the bundle.
        """
        found = self.config.at("imports")
        theirs = [one for one in found if isinstance(one, str)] if isinstance(found, list) else []
        edits = {name: value for name, value in self.edits.items() if value is not None}
        nulled = [name for name, value in self.edits.items() if value is None]
        return {
            "base": self.config.path.name,
            "imports": [*(line(one) for one in theirs), "$import monai_unlearn.engine as engine"],
            "disabled": [*(name for name in _UNUSED if name in self.config.content), *nulled],
            "weights": weights,
            "class_names": flow(list(class_names)),
            "label_key": flow(list(choices.labels)) if choices.labels else "",
            "columns": json.dumps(dict(choices.columns)) if choices.columns else "",
            "learning_rate": self.learning_rate,
            "edits": yaml.safe_dump(edits, sort_keys=False, width=110).rstrip(),
        }

    def _without_unused(self, trainer: str) -> TrainingOverlay:
        """Drop what the section `train` has beside the trainer: all of it is built where the section runs."""
        content = copy.deepcopy(dict(self.config.content))
        for name, value in self.edits.items():
            _set(content, name, value)
        config = ConfigData(path=self.config.path, content=content)
        run = config.at(f"{_SECTION}::run")
        used = {name.split("::")[1] for name in (*config.closure(run), trainer) if name.startswith(f"{_SECTION}::")}
        kept = {*used, "run", "loss", "optimizer"}
        unused = {f"{_SECTION}::{name}": None for name in config.at(_SECTION) if name not in kept}
        return TrainingOverlay(config=self.config, edits={**self.edits, **unused}, learning_rate=self.learning_rate)


def _trainer(config: ConfigData) -> tuple[str, Mapping[str, Any]]:
    found = [(name, one) for name, one in components(dict(config.content)) if target(one) == _TRAINER]
    if len(found) != 1:
        raise ConfigError(f"it has {len(found)} components {_TRAINER}, where one is expected")
    if not isinstance(config.at(_SECTION) or {}, dict):
        raise ConfigError(f"its id {_SECTION} is no section")
    return found[0]


def _reference(config: ConfigData, component: Mapping[str, Any], key: str, default: str) -> str:
    """Return the id of what an argument refers to, or of the argument itself where it is a component."""
    value = component.get(key)
    found = re.fullmatch(r"\$?@([\w:#]+)", value) if isinstance(value, str) else None
    name = found[1].replace("#", "::") if found else default
    if not target(config.at(name)):
        raise ConfigError(f"{default} is no component and refers to none")
    return name


def _images(config: ConfigData, loader: str) -> str:
    """Return the id of the data set of a loader, whose `data` the items of an index can replace."""
    found = config.at(loader)
    name = _reference(config, found, "dataset", f"{loader}::dataset")
    images = config.at(name)
    if target(images) not in _DATASETS or "data" not in images:
        raise ConfigError(f"{name} is a {target(images)}, which is not made of a list of image files")
    for _, step in components(config.resolved(images.get("transform"))):
        if target(step).startswith("Load") and LABEL in keys_of(step):
            raise ConfigError(f"its transforms read the class from a file, by {target(step)} of the key {LABEL}")
    return name


def _of_trainer(config: ConfigData, name: str, trainer: Mapping[str, Any], head: str) -> dict[str, Any]:
    """Return what changes in the trainer: it measures nothing, keeps batches whole, and reports its progress."""
    handlers = config.resolved_list(trainer.get("train_handlers"))
    kept = [{**one, "print_lr": False} for one in handlers if target(one) == "LrScheduleHandler"]
    progress = {"_target_": "monai_unlearn.engine.ProgressBar", "description": "@progress"}
    edits: dict[str, Any] = {
        f"{name}::device": "$torch.device(@device)",
        f"{name}::train_handlers": [*kept, progress],
        f"{name}::decollate": False,
    }
    for key in ("postprocessing", "key_train_metric", "additional_metrics"):
        if key in trainer:
            edits[f"{name}::{key}"] = None
    if trainer.get("amp"):
        edits[f"{name}::amp"] = "$torch.device(@device).type == 'cuda'"
    if head == "sigmoid":
        edits[f"{name}::prepare_batch"] = _OF_ONE_LOGIT
    return edits


def _of_section(config: ConfigData, trainer: str, head: str, *, loss: str, optimizer: str) -> dict[str, Any]:
    """Return the ids of loss and optimiser that this package looks for, and what runs when `train` is built."""
    run = {
        "_target_": OWN_TRAINING,
        "trainer": f"@{trainer}",
        "data": "@data",
        "parts": "@parts",
        "checkpoint": "@checkpoint",
        "head": head,
    }
    section = {"loss": f"@{loss}", "optimizer": f"@{optimizer}", "run": run}
    named = {"loss": loss, "optimizer": optimizer}
    found = {key: value for key, value in section.items() if named.get(key) != f"{_SECTION}::{key}"}
    if _SECTION not in config.content:
        return {_SECTION: found}
    return {f"{_SECTION}::{key}": value for key, value in found.items()}


def _loss_of_sets(loss: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the loss over sets of labels that is the sum of the labels' binary cross entropies."""
    if not target(loss).startswith("BCE") or set(loss) - {"_target_", "reduction"}:
        raise ConfigError(f"{name} is not the plain binary cross entropy of each label")
    return {**loss, "_target_": "torch.nn.CrossEntropyLoss"}


def _set(content: dict[str, Any], name: str, value: Any) -> None:  # noqa: ANN401 - any value of a config
    *path, last = name.split("::")
    place: Any = content
    for key in path:
        place = place[int(key)] if isinstance(place, list) else place.setdefault(key, {})
    place[last] = value
