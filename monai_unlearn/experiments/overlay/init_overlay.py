"""Writes the configs by which a bundle can forget: read, checked, tried on one image, and written."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.overlay.checks import check_bundle
from monai_unlearn.experiments.overlay.chosen_output import choose_output
from monai_unlearn.experiments.overlay.class_choice import ChosenClasses, choose_classes
from monai_unlearn.experiments.overlay.facts import BundleFacts
from monai_unlearn.experiments.overlay.findings import Finding, as_documents, note, problem
from monai_unlearn.experiments.overlay.sample_image import SampleImage
from monai_unlearn.experiments.overlay.settings import Choices, Settings, config_files, pixels_of
from monai_unlearn.experiments.overlay.training import TrainingOverlay
from monai_unlearn.experiments.overlay.trial import check_report, try_configs
from monai_unlearn.experiments.overlay.write import rendered
from monai_unlearn.staging import write_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monai_unlearn.experiments.overlay.pixel_space import PixelValues

UNLEARN, TRAIN = "unlearn.yaml", "train_reference.yaml"
# Ids of an overlay that mean what they mean in any config.
_SAME = frozenset({"bundle_root", "device", "network_def", "network", "preprocessing", "imports"})
_SIZE = 64


@dataclass(kw_only=True)
class Overlay:
    """The overlay of one bundle, on its way.

    Args:
        facts: What the bundle says.
        choices: What the user says.
        sample: An image of the index; None without one.
        tries: Whether to try the configs on an image, which evaluates them.
    """

    facts: BundleFacts
    choices: Choices
    sample: SampleImage | None = None
    tries: bool = True

    def __post_init__(self) -> None:
        self.findings: list[Finding] = list(check_bundle(self.facts, self.choices))
        self.pixels: PixelValues = pixels_of(self.facts)
        self.training = self._training()
        self.report: Mapping[str, Any] = {"failed": {}}
        self.classes = self._classes()
        if self.tries and not self.stops:
            self._try()
        self.findings += self.classes.findings
        self.findings += self._taken()

    def texts(self) -> dict[str, str]:
        """Return the text of each file to write, by its name in `configs/`."""
        training = self.training if self.classes.names else None
        choices = replace(self.choices, labels=self.classes.columns)
        settings = Settings(
            facts=self.facts,
            choices=choices,
            class_names=self.classes.names,
            head=self.classes.head,
            has_training=training is not None,
            pixels=self.pixels,
        )
        found = {UNLEARN: rendered("unlearn.yaml.jinja", settings.documents)}
        if training is not None:
            documents = training.documents(self.classes.names, choices, weights=self.facts.weights)
            found[TRAIN] = rendered("train_reference.yaml.jinja", documents)
        return found

    @property
    def stops(self) -> bool:
        """Whether something was found that stops."""
        return any(one.stops for one in self.findings)

    def _classes(self) -> ChosenClasses:
        return choose_classes(self.facts.outputs, self.choices, self.sample)

    def _training(self) -> TrainingOverlay | None:
        if self.facts.is_own or self.facts.training is None:
            return None
        try:
            return TrainingOverlay.of(self.facts.training, head=self.choices.head_of(self.facts.outputs))
        except ConfigError as reason:
            self.findings.append(_no_training(self.facts, str(reason)))
        return None

    def _try(self) -> None:
        with tempfile.TemporaryDirectory(prefix="monai-unlearn-") as folder:
            self.report = try_configs(self._request(Path(folder)))
        mean, std = (self.facts.config.resolved(one) for one in (self.pixels.mean, self.pixels.std))
        value_range = self.pixels.input_range(mean, std)
        self.findings += check_report(self.report, item=self.sample is not None, value_range=value_range)
        self._take_output()
        tried, self.classes = self.classes.head, self._classes()
        if self.training is not None and self.classes.head != tried:
            self.training = self._training()
        elif self.training is not None and (reason := self.report["failed"].get("training")):
            self.training = None
            self.findings.append(_no_training(self.facts, f"one step on the first image fails: {reason}"))

    def _take_output(self) -> None:
        """Take over what the network was seen to return."""
        outputs = self.facts.outputs
        expected = outputs.count or len(self.choices.classes or outputs.names) or None
        chosen = choose_output(self.report.get("outputs") or (), expected=expected, wanted=self.choices.output)
        self.findings += chosen.findings
        if chosen.count is not None:
            outputs = replace(outputs, count=chosen.count)
            if chosen.count == 1 and self.choices.head is None:
                outputs = replace(outputs, head="sigmoid")
            self.facts = replace(self.facts, outputs=outputs)
        if chosen.name is not None:
            self.choices = replace(self.choices, output=chosen.name)

    def _request(self, folder: Path) -> dict[str, Any]:
        facts, written = self.facts, []
        for name, text in self.texts().items():
            path = folder / name
            path.write_text(text, encoding="utf-8")
            written.append(str(path))
        configs = [] if facts.is_own else [str(facts.config.path)]
        weights = facts.root / facts.weights
        training = [str(facts.training.path), written[1]] if len(written) > 1 and facts.training else []
        return {
            "configs": [*configs, written[0]],
            "training": training,
            "bundle_root": str(facts.root.resolve()),
            "checkpoint": str(weights) if weights.is_file() else None,
            "item": None if self.sample is None else dict(self.sample.item),
            "shape": self._shape(),
            "class_names": list(self.classes.names),
            "head": self.classes.head,
        }

    def _shape(self) -> list[int]:
        """Return the shape of an input by the metadata; a size that is a text, such as `16*n`, is taken as 64."""
        found = self.facts.inputs.get("spatial_shape")
        spatial = found if isinstance(found, list) else [_SIZE, _SIZE]
        sizes = [size if isinstance(size, int) and size > 0 else _SIZE for size in spatial]
        channels = self.facts.inputs.get("num_channels")
        return [channels if isinstance(channels, int) else 1, *sizes]

    def _taken(self) -> Iterator[Finding]:
        """Yield the ids that network or preprocessing use, and that mean something else in the overlay."""
        if self.facts.is_own or self.stops:
            return
        config = self.facts.config
        used = {
            name.partition("::")[0] for name in config.closure(config.at("network_def"), config.at("preprocessing"))
        }
        own = yaml.safe_load(self.texts()[UNLEARN])
        if taken := sorted((used & set(own)) - _SAME):
            yield problem(
                "taken_ids",
                f"network_def or preprocessing use {', '.join(taken)}, which mean something else in unlearn.yaml.",
                f"Give them other names in {config.path.name}.",
            )


def init_overlay(
    root: Path,
    *,
    choices: Choices,
    config: str | None = None,
    index: Path | None = None,
    tries: bool = True,
    force: bool = False,
) -> dict[str, Any]:
    """Write the overlays of a bundle, unless something stops.

    Args:
        root: The bundle.
        choices: What the user says of it.
        config: The config below `configs/` that defines network and preprocessing; None to find it.
        index: An index, of which one image is tried, and whose classes are compared.
        tries: Whether to try the configs on an image.
        force: Replace overlays that are there.

    Returns:
        What was written and why not, with the command line.

    Raises:
        ConfigError: The bundle or the index cannot be read, or an overlay is there already.
    """
    facts = BundleFacts.read(root, config=config)
    there = [name for name in (UNLEARN, TRAIN) if (root / "configs" / name).exists()]
    if there and not force:
        raise ConfigError(
            f"{root / 'configs' / there[0]} is there already, and nothing was changed. Give --force to replace it."
        )
    sample = None if index is None else SampleImage.of(index, choices.columns)
    overlay = Overlay(facts=facts, choices=choices, sample=sample, tries=tries)
    texts = {} if overlay.stops else overlay.texts()
    for name, text in texts.items():
        write_text(root / "configs" / name, text)
    if texts and TRAIN not in texts:
        # It was written over another training config, or from other classes.
        (root / "configs" / TRAIN).unlink(missing_ok=True)
    return _document(root, overlay, written=list(texts))


def _document(root: Path, overlay: Overlay, *, written: list[str]) -> dict[str, Any]:
    facts, pixels = overlay.facts, overlay.pixels
    settings = "--index_dir INDEX --cohort_spec SPEC --output_dir OUT"
    command = f"python -m monai.bundle run unlearn --config_file {config_files(root, facts)} {settings}"
    return {
        "bundle": str(root),
        "config": facts.config.path.name,
        "written": [str(root / "configs" / name) for name in written],
        "class_names": list(overlay.classes.names),
        "head": overlay.classes.head,
        "outputs": overlay.report.get("outputs"),
        "input": overlay.report.get("input"),
        "pixel_space": {"low": pixels.low, "high": pixels.high, "source": pixels.source or None},
        "problems": as_documents(overlay.findings, stops=True),
        "notes": as_documents(overlay.findings, stops=False),
        "command": command if written else None,
        "short_command": f"monai-unlearn unlearn {root} --index INDEX --spec SPEC --out OUT" if written else None,
        "training_command": _training_command(root, facts) if TRAIN in written else None,
    }


def _training_command(root: Path, facts: BundleFacts) -> str | None:
    if facts.training is None:
        return None
    configs = f"{root.as_posix()}/configs"
    files = f"\"['{configs}/{facts.training.path.name}','{configs}/{TRAIN}']\""
    # Training does not replace weights that it did not write.
    elsewhere = " --checkpoint WEIGHTS" if (root / facts.weights).exists() else ""
    return f"python -m monai.bundle run train --config_file {files} --index_dir INDEX{elsewhere}"


def _no_training(facts: BundleFacts, reason: str) -> Finding:
    name = facts.training.path.name if facts.training else "train.json"
    return note(
        "no_training",
        f"{name} cannot be pointed at an index: {reason}. There is no {TRAIN}, and --reference retrain is not there.",
        "Train references in your usual way on what remains, and give their weights: --reference FILE.",
    )
