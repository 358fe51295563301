"""What fills the template of `unlearn.yaml`: read off a bundle, and changed where a run needs something else."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from monai_unlearn.experiments.overlay.config_data import target
from monai_unlearn.experiments.overlay.pixel_space import PixelValues, pixel_values
from monai_unlearn.experiments.overlay.text_blocks import text_blocks
from monai_unlearn.experiments.overlay.transforms import IMAGE, LABEL, LABEL_FILE
from monai_unlearn.release.config_downloads import Edit, find

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monai_unlearn.experiments.overlay.classes import Outputs
    from monai_unlearn.experiments.overlay.facts import BundleFacts

SPLIT = "split: {seed: 0, test_fraction: 0.2, validation_fraction: 0.1}"
_OURS = ("$import monai_unlearn.engine as engine", "$import monai_unlearn.methods as methods")
_INPUT = "# The network's input and outputs."
# What configs of MONAI's bundles run, build for running, or write.
_FOREIGN = (
    *("run", "evaluating", "training", "finalize", "handlers", "val_handlers", "evaluator", "validator"),
    *("checkpointloader", "dataset", "dataloader", "postprocessing"),
)
_WIDTH = 110


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the user says of a bundle, beside what it says itself.

    Args:
        healthy: The classes that mean no disease.
        classes: The classes, in the order of the network's outputs; none for those of the metadata.
        columns: Columns of the index that fill keys of preprocessing, by key.
        head: What the network gives out; None for what the configs say.
        output: Which of several outputs holds the logits: its key, or its position.
        labels: Columns of the index that hold 0 or 1, one for each output, where an image may have several labels.
    """

    healthy: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    columns: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    head: str | None = None
    output: str | None = None
    labels: tuple[str, ...] = ()

    def head_of(self, outputs: Outputs) -> str:
        """Return what a network gives out: what the user says, or else what its configs say."""
        return self.head or ("multilabel" if self.labels else outputs.head)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The values of the template; see `unlearn.yaml.jinja`."""

    facts: BundleFacts
    choices: Choices
    class_names: tuple[str, ...]
    head: str
    has_training: bool
    pixels: PixelValues

    @property
    def documents(self) -> dict[str, Any]:
        """The variables of the template."""
        facts = self.facts
        return {
            "whole": facts.is_own,
            "base": "" if facts.is_own else facts.config.path.name,
            "config_file": config_files("BUNDLE", facts),
            "imports": self.imports,
            "disabled": [] if facts.is_own else [name for name in _FOREIGN if name in facts.config.content],
            "weights": facts.weights,
            "training": facts.is_own or self.has_training,
            "training_configs": flow(self.training_configs),
            "healthy": flow(list(self.choices.healthy)),
            "inputs": self._own_inputs() if facts.is_own else self._inputs(),
            "label_key": flow(list(self.choices.labels)) if self.choices.labels else "",
            "columns": json.dumps(dict(self.choices.columns)) if self.choices.columns else "",
            "network": self._own_network() if facts.is_own else self._network(),
            "mean": self._channels(self.pixels.mean, 0),
            "std": self._channels(self.pixels.std, 1),
            "low": number(self.pixels.low) if self.pixels.has_range else None,
            "high": number(self.pixels.high),
            "shared": self._own_settings() if facts.is_own else ["class_names", "split"],
        }

    @property
    def imports(self) -> list[str]:
        """The imports of the config that is laid over, and this package's."""
        if self.facts.is_own:
            return [*_OURS]
        found = self.facts.config.at("imports")
        theirs = [one for one in found if isinstance(one, str)] if isinstance(found, list) else []
        return [*(line(one) for one in theirs), *_OURS]

    @property
    def training_configs(self) -> list[str]:
        """The files that the bundle is trained with."""
        training = self.facts.training
        if training is None or not (self.facts.is_own or self.has_training):
            return []
        return [training.path.name] if self.facts.is_own else [training.path.name, "train_reference.yaml"]

    @property
    def channels(self) -> int:
        """How many channels the input has."""
        found = self.facts.inputs.get("num_channels")
        network = self.facts.config.resolved(self.facts.config.at("network_def"))
        names = ("in_channels", "n_input_channels", "in_chans")
        given = (network.get(name) for name in names) if isinstance(network, dict) else ()
        return next((one for one in (*given, found) if isinstance(one, int) and one > 0), 3)

    @property
    def renamed(self) -> dict[str, str]:
        """Keys of preprocessing that items have under other names."""
        steps = self.facts.preprocessing
        if steps is None:
            return {}
        found = {} if steps.image_key == IMAGE else {steps.image_key: IMAGE}
        return {**found, LABEL: LABEL_FILE} if LABEL in steps.file_keys else found

    def _own_settings(self) -> list[str]:
        """Return the settings that say what the input is, in the order of the training config."""
        config = self.facts.config
        used = config.closure(config.at("preprocessing"), config.at("network_def"))
        names = {"class_names", "split", *used}
        return [name for name in config.content if name in names and not target(config.at(name))]

    def _own_inputs(self) -> str:
        blocks = text_blocks(self.facts.config.path.read_text(encoding="utf-8"))
        return "\n".join(blocks[name] for name in self._own_settings()) + "\n"

    def _own_network(self) -> str:
        blocks = text_blocks(self.facts.config.path.read_text(encoding="utf-8"))
        return f"{blocks['network_def']}\n{blocks['network']}\n\n{blocks['preprocessing']}\n"

    def _inputs(self) -> str:
        lines = [_INPUT, f"class_names: {flow(list(self.class_names))}", SPLIT]
        if self.head != "softmax":
            lines += [
                "# What the network gives out: a logit for each class (softmax), one logit, of the second of two",
                "# classes (sigmoid), or one of each label that an image may have (multilabel).",
                f"head: {self.head}",
            ]
        if (output := self.choices.output) is not None:
            lines += [
                "# Which of the network's outputs holds the logits: its position, or its key.",
                f"network_output: {output if output.isdigit() else line(output)}",
            ]
        return "\n".join(lines) + "\n"

    def _network(self) -> str:
        texts = [f"{name}: {json.dumps(value)}" for name, value in pretrained_off(self.facts).items()]
        if texts:
            texts.insert(0, "# Weights come from the checkpoint alone: nothing is downloaded.")
        texts.append("network: $@network_def.to(engine.usable_device(@device))")
        if preprocessing := self._preprocessing():
            texts += ["", preprocessing]
        return "\n".join(texts) + "\n"

    def _preprocessing(self) -> str:
        """Return the preprocessing, where it is not that of the config as it is."""
        steps = self.facts.preprocessing
        if steps is None or (steps.loaders and not self.renamed and steps.name == "preprocessing"):
            return ""
        if steps.loaders and not self.renamed and target(steps.written) == "Compose":
            return f'preprocessing: "@{steps.name}"'
        transforms = steps.renamed(self.renamed)
        if not steps.loaders:
            transforms = [*self._loading(), *transforms]
        text = yaml.safe_dump(
            {"preprocessing": {"_target_": "Compose", "transforms": transforms}}, sort_keys=False, width=_WIDTH
        )
        return f"# That of {self.facts.config.path.name}, with {self._changed()}.\n{text.rstrip()}"

    def _changed(self) -> str:
        steps = self.facts.preprocessing
        if steps is not None and not steps.loaders:
            return "a transform that reads the file first"
        return ", ".join(f"{new} for {old}" for old, new in self.renamed.items()) or "its transforms in one list"

    def _loading(self) -> list[dict[str, Any]]:
        """Return the transforms that read an image as the bundle's own data set passes it."""
        loading: list[dict[str, Any]] = [{"_target_": "monai_unlearn.data.LoadImage2Dd", "keys": IMAGE}]
        if self.channels == 1:
            loading[0]["channels"] = 1
        if self._is_three_dimensional():
            loading = [
                {"_target_": "LoadImaged", "keys": IMAGE},
                {"_target_": "EnsureChannelFirstd", "keys": IMAGE},
            ]
        elif self.facts.inputs.get("value_range") == [0, 255]:
            scale = {"a_min": 0.0, "a_max": 1.0, "b_min": 0.0, "b_max": 255.0}
            loading.append({"_target_": "ScaleIntensityRanged", "keys": IMAGE, **scale})
        return loading

    def _is_three_dimensional(self) -> bool:
        network = self.facts.config.resolved(self.facts.config.at("network_def"))
        return isinstance(network, dict) and network.get("spatial_dims") == 3  # noqa: PLR2004 - depth, height, width

    def _channels(self, value: Any, default: int) -> str:  # noqa: ANN401 - whatever the config says
        if value is None:
            value = [default] * self.channels
        elif isinstance(value, (int, float)):
            value = [value] * self.channels
        return json.dumps(value)


def pretrained_off(facts: BundleFacts) -> dict[str, Any]:
    """Return the values of `network_def` that ask for weights from elsewhere, by id, with what takes their place."""
    found = find({"network_def": facts.config.at("network_def")}, elsewhere={"config": facts.config.content})
    return {"::".join(map(str, one.where)): one.value for one in found if isinstance(one, Edit)}


def pixels_of(facts: BundleFacts) -> PixelValues:
    """Return how a bundle's inputs follow from pixels."""
    steps = facts.preprocessing
    if steps is None:
        return PixelValues()
    written = _written(steps.written, len(steps.transforms)) or steps.transforms
    return pixel_values(steps.transforms, written=written, value_range=facts.inputs.get("value_range"))


def _written(value: Any, count: int) -> Sequence[Mapping[str, Any]]:  # noqa: ANN401 - any value of a config
    """Return the transforms as they are written, where the config lists just these."""
    listed = value.get("transforms") if isinstance(value, dict) else value
    return listed if isinstance(listed, list) and len(listed) == count else []


def config_files(bundle: str | Path, facts: BundleFacts) -> str:
    """Return the value of `--config_file` for a bundle."""
    configs = f"{Path(bundle).as_posix()}/configs"
    if facts.is_own:
        return f"{configs}/unlearn.yaml"
    return f"\"['{configs}/{facts.config.path.name}','{configs}/unlearn.yaml']\""


def flow(value: object) -> str:
    """Return a value as YAML on one line.

    >>> flow(["in body", "no"])
    "[in body, 'no']"
    """
    return (
        yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True).strip().removesuffix("\n...")
    )


def line(value: str) -> str:
    """Return a text as a YAML scalar on one line."""
    return flow([value])[1:-1]


def number(value: float) -> str:
    """Return a number without a fraction that is zero."""
    return str(int(value)) if float(value).is_integer() else str(value)
