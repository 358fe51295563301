"""One revision from original weights to a revised bundle and its evidence."""

from __future__ import annotations

import copy
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils.data import Dataset

from monai_unlearn.engine import distributed
from monai_unlearn.engine.checkpoint import Checkpoints, checkpoint_folder, exclusive_lock
from monai_unlearn.engine.evidence import Cost, RunFacts, assemble
from monai_unlearn.engine.fingerprint import fingerprint
from monai_unlearn.engine.guards import check_fits
from monai_unlearn.engine.outputs import write_outputs
from monai_unlearn.engine.reference import Reference, Retraining, load_reference, record_of
from monai_unlearn.engine.report import show
from monai_unlearn.engine.stopping import StopRule
from monai_unlearn.engine.trainer import UnlearnTrainer, check_finite
from monai_unlearn.engine.training import RECORD, images_digest
from monai_unlearn.engine.updating import Updates
from monai_unlearn.errors import ConfigError, ExitCode, UnlearnError, did_you_mean
from monai_unlearn.evaluation import Predictions, has_running_statistics, predict_subsets, read_criteria, recalibrated
from monai_unlearn.release import BundleInfo, check_free, load_weights, remove_unfinished, staged

if TYPE_CHECKING:
    from monai_unlearn.data import CohortData
    from monai_unlearn.methods import PixelSpace

# Remain images that a look on the way recalibrates statistics on: enough to see by, and no archive's size.
EVAL_MAX_IMAGES = 128
OBJECTIVES = ("match_reference", "erase")
Subsets = Mapping[tuple[str, str], Dataset[Any]]
SubsetPredictions = dict[tuple[str, str], Predictions]


class NotAccepted(UnlearnError):  # noqa: N818 - it is no fault: the run is done, its result is not good enough
    """The run is done and written down, but a declared criterion failed or none about the forget part was judged."""

    exit_code = ExitCode.NOT_ACCEPTED


@dataclass(kw_only=True)
class Revision:
    """Everything a revision is made of; `run` makes it.

    Args:
        trainer: The engine with its method, network, optimiser and paired batches.
        data: The cohort's images.
        subsets: The pictures by (part, split): forget and remain, train and test.
        pixel_space: How network inputs follow from pixels.
        checkpoint: The original weights.
        output_dir: Where results go; new or empty.
        bundle_root: The bundle being revised.
        retraining: How the bundle is trained.
        reference: Nothing, `retrain`, or a checkpoint trained without the forget part.
        objective: `match_reference`, to behave like the retrained model, or `erase`, to be wrong.
        acceptance: Criteria, `{measure: {min: …, max: …}}`.
        recalibrate: Estimate BatchNorm statistics anew on remain images after the last step. Weights that moved
            under frozen statistics no longer fit them, and reading wrongly for that reason is not forgetting.
        stop: Conditions that end the forget phase or the run, the arguments of `StopRule`. Without any, and where a
            reference is to be matched, forgetting pauses while the network reads no more than it does.
        eval_interval: Steps between two looks at those that are measured, at the most; see `Stopping`.
        checkpoint_seconds: Seconds between two checkpoints; 0 keeps every step.
        seed: Seeds search and order.
        config: The config as executed, for `run.json`.
    """

    trainer: UnlearnTrainer
    data: CohortData
    subsets: Subsets
    pixel_space: PixelSpace
    checkpoint: str | Path
    output_dir: str | Path
    bundle_root: str | Path
    retraining: Retraining
    reference: str | None = None
    objective: str = "match_reference"
    acceptance: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    recalibrate: bool = True
    stop: Mapping[str, float | str] | None = None
    eval_interval: int | None = None
    checkpoint_seconds: float = 30.0
    seed: int = 0
    config: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            raise ConfigError(
                f"objective: expected one of {', '.join(OBJECTIVES)}, got '{self.objective}'."
                + did_you_mean(self.objective, OBJECTIVES)
            )
        if not self.output_dir:
            raise ConfigError("output_dir is not set. Give it on the command line: --output_dir DIR")
        self.criteria = read_criteria(self.acceptance)
        self._rule = StopRule.read(self.stop)
        self.base = BundleInfo.read(self.bundle_root)
        check_free(Path(self.output_dir))

    @property
    def network(self) -> nn.Module:
        """The network being revised."""
        network: nn.Module = self.trainer.network
        return network

    @property
    def device(self) -> torch.device:
        """Where it is computed."""
        return torch.device(self.trainer.state.device)

    def run(self) -> dict[str, Any]:
        """Revise, measure, write, show; return what `metrics.json` holds.

        Raises:
            NotAccepted: The result is not accepted; all is written, but nothing is promoted.
            UnlearnError: Something went wrong before that; nothing is written.
        """
        target = Path(self.output_dir)
        warnings = self._warnings()
        load_weights(self.network, self.checkpoint)
        check_fits(self.network, data=self.data, subsets=self.subsets, device=self.device)
        self.trainer.classes = len(self.data.class_names)
        checkpoints = Checkpoints(checkpoint_folder(target), fingerprint(self))
        checkpoints.check()
        if not distributed.is_main_process():
            return self._help(checkpoints)
        with exclusive_lock(checkpoints.folder):
            remove_unfinished(target)
            try:
                with staged(target) as folder:
                    evidence = self._lead(folder, checkpoints, warnings)
            finally:
                checkpoints.remove_if_empty()
            checkpoints.remove()
        distributed.wait()
        show(evidence, target)
        if not evidence["accepted"]:
            raise NotAccepted(f"not accepted: {_why(evidence)}. The evidence is in {target}.")
        return evidence

    def _lead(self, folder: Path, checkpoints: Checkpoints, warnings: list[str]) -> dict[str, Any]:
        """Do all of the run, in the first process, and write its results into a folder."""
        original = copy.deepcopy(self.network)
        reference = load_reference(
            self.reference,
            like=original,
            data=self.data,
            retrained=lambda: self._retrained(folder / "reference", checkpoints),
        )
        distributed.wait()
        updates = Updates(self, reference, checkpoints)
        updates.run()
        started = time.perf_counter()
        self.network.load_state_dict(self._finished(self.network).state_dict())
        check_finite(self.network)
        updates.seconds["updates"] += time.perf_counter() - started
        models = self._predict(original, reference)
        evidence = assemble(
            RunFacts(
                objective=self.objective,
                class_names=self.data.class_names,
                counts=self.data.counts(),
                has_batch_norm=has_running_statistics(self.network),
                criteria=self.criteria,
                cost=Cost(
                    search=self.trainer.method.gradient_evaluations,
                    updates=self.trainer.images_seen,
                    seconds=updates.seconds,
                    retraining=reference.gradient_evaluations if reference else None,
                    retraining_seconds=reference.seconds if reference else None,
                ),
                reference=reference,
                warnings=[*warnings, *updates.notes],
            ),
            models,
        )
        write_outputs(self, folder, original=original, evidence=evidence, updates=updates.record)
        return evidence

    def _help(self, checkpoints: Checkpoints) -> dict[str, Any]:
        """Share search and steps of the first process, which alone evaluates and writes."""
        distributed.wait()
        Updates(self, None, checkpoints).run()
        distributed.wait()
        return {}

    def _retrained(self, folder: Path, checkpoints: Checkpoints) -> Path:
        """Return where the retrained weights are, in the results; a killed run's are not trained again."""
        kept = checkpoints.kept("reference")
        if kept is None:
            kept = checkpoints.keep("reference", lambda aside: self.retraining.run(aside / "model.pt"))
        folder.mkdir()
        for name in ("model.pt", RECORD):
            shutil.copyfile(kept / name, folder / name)
        return folder / "model.pt"

    def glance(self, network: nn.Module) -> nn.Module:
        """Return about what would be handed over if the run ended now."""
        return self._finished(network, max_images=EVAL_MAX_IMAGES)

    def _finished(self, network: nn.Module, max_images: int | None = None) -> nn.Module:
        """Return the network as it would be handed over if the run ended now."""
        if not (self.recalibrate and has_running_statistics(network)):
            return network
        return recalibrated(
            network, self.subsets["remain", "train"], device=self.device, seed=self.seed, max_images=max_images
        )

    def stop_rule(self) -> StopRule:
        """Return the conditions that are configured, else to read the forget part as well as the reference does.

        The reference never saw these images: its accuracy on them is what a model without them has. The first steps
        of a run go far past it and come back while remain images are learnt; hence a pause, not an end.
        """
        if self.stop is not None or self.objective == "erase" or not self.reference:
            return self._rule
        return StopRule(gap_to_reference=0.0, when_met="pause")

    def _predict(self, original: nn.Module, reference: Reference | None) -> dict[str, SubsetPredictions]:
        """Let every model read every subset; the BatchNorm controls stand beside original and revised."""
        networks = {"original": original, "revised": self.network}
        if has_running_statistics(self.network):
            remain = self.subsets["remain", "train"]
            networks |= {
                f"{name}_recalibrated": recalibrated(network, remain, device=self.device, seed=self.seed + 1)
                for name, network in networks.items()
            }
        if reference is not None:
            networks["reference"] = reference.network
        # Where no patient is set aside to choose settings on, there is no column to show.
        shown = {
            subset: data
            for subset, data in self.subsets.items()
            if subset[1] != "validation" or len(data)  # type: ignore[arg-type]  # torch's Dataset has no __len__
        }
        return {name: predict_subsets(network, shown, device=self.device) for name, network in networks.items()}

    def _warnings(self) -> list[str]:
        """Say what a reader must know of the data behind these results."""
        cohort = self.data.cohort
        warnings = list(cohort.preview()["warnings"]) if cohort else []
        record = self.base_record()
        if not record:
            warnings.append(
                "The weights come without a training record: that the forget images were trained on is not known."
            )
        elif record.get("split") != self.data.split_rule.to_dict():
            raise ConfigError(
                f"{Path(self.checkpoint).with_name(RECORD)} says that the weights were trained under another split "
                f"({record.get('split')}): test images would be images trained on. Set `split` to the same."
            )
        elif record.get("images_digest") != images_digest(self.data, record.get("parts", ())):
            warnings.append(
                "The training record names other images than this index holds: forgetting is measured on images that "
                "may never have been trained on."
            )
        return warnings

    def base_record(self) -> dict[str, Any]:
        """Return the training record beside the original weights; empty if there is none."""
        return record_of(Path(self.checkpoint))


def _why(evidence: Mapping[str, Any]) -> str:
    if failed := [row["measure"] for row in evidence["criteria"] if row["verdict"] == "failed"]:
        return f"{', '.join(failed)} failed"
    return (
        "no criterion about the forget part could be judged: nothing noticeable was forgotten, or there is no "
        "reference (--reference retrain) to compare with"
    )
