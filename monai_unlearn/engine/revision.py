"""One revision: from original weights to a revised bundle and its evidence."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils.data import Dataset

from monai_unlearn.cache_folder import shared_folder
from monai_unlearn.data.read_once import read_rows
from monai_unlearn.engine import distributed, ensembles
from monai_unlearn.engine.audits import RunNetworks, run_audits
from monai_unlearn.engine.budget import Budget, retraining_cost, unknown_cost
from monai_unlearn.engine.calibrating import Calibrating
from monai_unlearn.engine.checkpoint import Checkpoints, checkpoint_folder, exclusive_lock
from monai_unlearn.engine.chosen_method import choice_of, settings_of
from monai_unlearn.engine.config_values import build_from_config
from monai_unlearn.engine.consent import check_consent, consent_warnings
from monai_unlearn.engine.estimate import estimate_of, seconds_a_gradient
from monai_unlearn.engine.evaluating import predict_models
from monai_unlearn.engine.evidence import Cost, RunFacts, assemble, why_not_accepted
from monai_unlearn.engine.fingerprint import fingerprint
from monai_unlearn.engine.guards import check_finite, check_fits, check_spec_stays
from monai_unlearn.engine.head import as_classifier, check_head, check_method, head_of, output_names
from monai_unlearn.engine.healthy import declared_healthy
from monai_unlearn.engine.host import executed_config
from monai_unlearn.engine.lineage import check_lineage, check_subsets
from monai_unlearn.engine.outputs import Outcome, write_outputs
from monai_unlearn.engine.parents import read_parents
from monai_unlearn.engine.predicted import ORIGINAL, REVISED, listed, prediction_table, reference_name
from monai_unlearn.engine.predicted_target import predicting
from monai_unlearn.engine.protocol import applied_protocol
from monai_unlearn.engine.proxy_workshop import ProxyWorkshop
from monai_unlearn.engine.recalibration import EVAL_MAX_IMAGES, as_delivered, delivery_images, with_controls
from monai_unlearn.engine.reference import Reference, Retraining, WantedReferences, load_references, retrain
from monai_unlearn.engine.remain_sample import REMAIN_TRAIN, RemainSample
from monai_unlearn.engine.report import print_result
from monai_unlearn.engine.shared_predictions import SharedPredictions
from monai_unlearn.engine.snapshots import snapshots_of
from monai_unlearn.engine.stop_rule import StopRule
from monai_unlearn.engine.stopping import Stopping
from monai_unlearn.engine.tracking import Tracking
from monai_unlearn.engine.trained_pixels import check_trained_pixels
from monai_unlearn.engine.training_record import RECORD, check_original, record_beside, record_of
from monai_unlearn.engine.updating import Updates
from monai_unlearn.engine.validation_judge import ValidationJudge
from monai_unlearn.errors import ConfigError, NotAccepted
from monai_unlearn.evaluation import has_running_statistics
from monai_unlearn.evaluation.audits import allowance, check_share, chosen
from monai_unlearn.evaluation.audits.within_budget import SHARE as AUDIT_SHARE
from monai_unlearn.evaluation.decision import Decision, promotes
from monai_unlearn.evaluation.decision.applied_protocol import CohortFacts
from monai_unlearn.evaluation.decision.held_settings import RECIPE
from monai_unlearn.evaluation.label_states import note, states
from monai_unlearn.evaluation.prediction_table import AS_TRAINED
from monai_unlearn.methods import info_of
from monai_unlearn.methods.base import FORWARD_PASS
from monai_unlearn.methods.cohort_kind import check_boundary_targets, kind_of, suit_warnings
from monai_unlearn.methods.logit_ensemble import networks_in
from monai_unlearn.release import (
    WEIGHTS,
    BundleInfo,
    check_sums,
    check_travels,
    download_warnings,
    load_weights,
    saved_keys,
    weights_digest,
)
from monai_unlearn.release.record_run import record_run, site_ledger
from monai_unlearn.staging import check_free, remove_unfinished, staged, write_json
from monai_unlearn.version import __version__
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from monai_unlearn.cohort import Cohort
    from monai_unlearn.data import CohortData
    from monai_unlearn.engine.trainer import UnlearnTrainer
    from monai_unlearn.evaluation import PredictionTable, SubsetPredictions
    from monai_unlearn.evaluation.predictors import Proxy
    from monai_unlearn.methods import MethodInfo, PixelSpace

Subsets = Mapping[tuple[str, str], Dataset[Any]]


@dataclass(kw_only=True)
class Revision:
    """Revises a bundle's weights so that they forget a cohort, and writes the evidence; `run` does it.

    In a bundle, its section of the config sets what differs, and `from_config` takes the rest. In Python:

    ```python
    revision = Revision(
        trainer=trainer,
        data=data,
        subsets=subset_datasets(data=data, transform=preprocessing),
        pixel_space=PixelSpace(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)),
        checkpoint="my_bundle/models/model.pt",
        output_dir="revision",
        bundle_root="my_bundle",
        retraining=retraining,
        decision={"healthy_classes": []},
    )
    evidence = revision.run()  # raises NotAccepted unless the verdict promotes the result
    print(evidence["verdict"], evidence["cost"]["gradient_evaluations"]["unlearning"])
    ```

    Args:
        trainer: The trainer with its method, network, optimiser and paired batches.
        data: The cohort's images.
        subsets: The images by (part, split): forget and remain, train and test.
        pixel_space: How network inputs follow from pixels.
        checkpoint: The original weights.
        output_dir: Where results go; new or empty.
        bundle_root: The bundle being revised.
        retraining: How the bundle is trained.
        reference: Nothing, `retrain`, a checkpoint trained without the forget part, or several.
        reference_seeds: How many networks `retrain` trains, each under a seed of its own.
        decision: What the result is judged by, the arguments of `Decision.from_config`.
        protocol: A rehearsed protocol, by which the result is judged where there is no reference.
        predictor: What stands in for retrained networks: the name of a predictor, with settings, or several beside a
            reference, to be measured.
        accept_bound: The largest bound on the protocol's failures that is accepted; None for that of ten cohorts.
        audits: What is looked at below accuracy: `default` for all of `evaluation/audits/`, or a list of names.
        audit_share: The share of the run's seconds that audits may take, in (0, 1]; those that it does not suffice for
            are left out. With 1, all are measured.
        recalibrate: Recalibrate BatchNorm on remain images after the last step. Weights that changed under frozen
            statistics no longer fit them, and errors that come from the mismatch are not forgetting.
        calibrate: Fit a temperature and class offsets as the very last step, on remain validation images that the
            original was not trained on; see `methods.calibrate`.
        stop: Conditions that end the forget phase or the run, the arguments of `StopRule`. By default, a run that is
            to match a reference pauses forgetting while the network is no better on forget images than the reference.
        eval_interval: Largest number of steps between two evaluations during the run; see `Stopping`.
        budget: The share of retraining's gradient evaluations that the run may cost, where neither phases nor steps of
            the trainer say how long it is; see `Budget`.
        force: Run a method that labels forget images by a decision boundary even where there are two classes.
        checkpoint_seconds: Seconds between two checkpoints; with 0, every step saves one.
        seed: Seeds search and order.
        head: What the network gives out: `softmax`, a logit for each class, `sigmoid`, one logit of the second of two
            classes, or `multilabel`, a logit for each of several labels; see `Head`. None for what the config presents
            the network with, by `as_classifier`.
        network_output: Which output holds the logits, where the network returns several; see `Head.output`.
        parents: The networks to compose, for the method `composition`; see `read_parents`.
        estimate: The file for what the run would cost; then `run` writes that, and nothing else. See `estimate_of`.
        config: The config as executed, for `run.json`.

    Raises:
        ConfigError: A setting is missing or unknown, the bundle has no metadata, holds what must not travel or would
            hold the results, or `output_dir` is not empty.
    """

    trainer: UnlearnTrainer
    data: CohortData
    subsets: Subsets
    pixel_space: PixelSpace
    checkpoint: str | Path
    output_dir: str | Path
    bundle_root: str | Path
    retraining: Retraining
    decision: Mapping[str, Any]
    reference: str | Sequence[str] | None = None
    reference_seeds: int = 3
    protocol: str | Path | None = None
    accept_bound: float | None = None
    predictor: Any = None
    audits: str | Sequence[str] | None = "default"
    audit_share: float = AUDIT_SHARE
    recalibrate: bool = True
    calibrate: bool = False
    stop: Mapping[str, float | str] | None = None
    eval_interval: int | None = None
    budget: float | None = None
    force: bool = False
    checkpoint_seconds: float = 30.0
    seed: int = 0
    head: str | None = None
    network_output: int | str | None = None
    parents: Sequence[Mapping[str, Any]] | None = None
    estimate: str | Path | None = None
    config: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.output_dir:
            raise ConfigError("output_dir is not set. Give it on the command line: --output_dir DIR")
        as_classifier(self.network, self.head, self.network_output)
        check_head(self.network, self.data.class_names, self.data.labels)
        check_method(self._info, head_of(self.network).kind)
        self.judged_by = Decision.from_config(
            self.decision,
            class_names=self.judged_classes,
            base_healthy_classes=declared_healthy(self.bundle_root, self.judged_classes),
        )
        if self.data.labels:
            self._check_several_labels()
        self.stop_rule = StopRule.of_run(
            self.stop,
            objective=self.judged_by.objective,
            has_reference=bool(self.reference),
            method=self.trainer.method,
        )
        check_boundary_targets(self._info, classes=len(self.data.class_names), force=self.force)
        chosen(self.audits)
        check_share(self.audit_share)
        self.base = BundleInfo.read(self.bundle_root)
        check_free(Path(self.output_dir))
        check_travels(self.base.root, Path(self.output_dir))
        self.tracking = Tracking.of(self.trainer, self.trainer.train_handlers)

    @classmethod
    def from_config(cls, **given: Any) -> Revision:  # noqa: ANN401 - whatever the fields take
        """Build a revision inside a bundle run: a field that is not given is the setting of that name in the config.

        This avoids repeating `seed: "@seed"` for every setting, so a `--stop` on the command line is never ignored for
        lack of such a line. Only settings at the top level of the config are taken; a setting in the section takes
        precedence. `refuse_misspelt` counts the settings taken as used.

        Args:
            given: Fields that are not to come from the config, such as the trainer.

        Raises:
            ConfigError: A field is required, but neither given nor in the config; or any error of the class itself.
        """
        return build_from_config(cls, {"config": executed_config(), **given})

    def _check_several_labels(self) -> None:
        """Refuse what is not made for images with several labels, and look at nothing below accuracy by default."""
        asked = {
            "decision: objective erase": self.judged_by.objective == "erase",
            "protocol": self.protocol is not None,
            "predictor": bool(self.predictor),
            "calibrate": self.calibrate,
            "audits": bool(self.audits) and self.audits != "default",
        }
        if named := [name for name, is_asked in asked.items() if is_asked]:
            raise ConfigError(
                f"head: multilabel does not go with {', '.join(named)}: what that computes is of one class for each "
                "image. Leave it out, and give retrained networks: --reference retrain."
            )
        self.audits = []

    @property
    def judged_classes(self) -> tuple[str, ...]:
        """The classes that metrics and verdict are about: the states of labels, where an image may have several."""
        return states(self.data.labels) or self.data.class_names

    @property
    def network(self) -> nn.Module:
        """The network being revised."""
        network: nn.Module = self.trainer.network
        return network

    @property
    def device(self) -> torch.device:
        """Where the run computes."""
        return torch.device(self.trainer.state.device)

    @property
    def _info(self) -> MethodInfo:
        return info_of(self.trainer.method)

    @property
    def _record_path(self) -> Path:
        return Path(self.checkpoint).with_name(RECORD)

    @property
    def cohort(self) -> Cohort:
        """The cohort to forget.

        Raises:
            ConfigError: The data have none.
        """
        if self.data.cohort is None:
            raise ConfigError("cohort_spec is not set. Give it on the command line: --cohort_spec FILE")
        return self.data.cohort

    def run(self) -> dict[str, Any]:
        """Revise, measure, write and print; return the content of `metrics.json`.

        In a distributed run, the other processes share search and steps, and return nothing.

        Raises:
            NotAccepted: The verdict does not promote the result: everything is written, but the bundle is not promoted.
            UnlearnError: Something went wrong earlier: nothing is written.
        """
        if self.estimate is not None:  # no run, and none that is tracked
            return self._run()
        with self.tracking.run(self._parameters()):
            return self._run()

    def _parameters(self) -> dict[str, Any]:
        """Return what a tracked run is known by: digests, versions, and what decides how the network is revised."""
        said = self.config.get("method")
        settings = {**settings_of(self.trainer.method), **(said if isinstance(said, Mapping) else {})}
        return {
            "spec_digest": self.cohort.spec.digest,
            "index_digest": self.data.index_digest,
            "method": self._info.name,
            **{f"method.{name}": value for name, value in settings.items() if name not in ("_target_", "name")},
            "seed": self.seed,
            "budget": self.budget,
            "objective": self.judged_by.objective,
            "bundle": self.base.metadata.get("name"),
            "bundle_version": self.base.version,
            "tool_version": __version__,
        }

    def _run(self) -> dict[str, Any]:
        target, began, ledger = Path(self.output_dir), time.perf_counter(), site_ledger()
        check_sums(self.base.root)
        check_spec_stays(self.base.root, self.cohort)
        record = record_of(Path(self.checkpoint))
        check_lineage(self.base.root, self.data, record_beside(Path(self.checkpoint)))
        check_subsets(self.data, self.subsets)
        warnings = [
            *self.cohort.preview()["warnings"],
            *self.data.earlier.warnings(),
            *download_warnings(self.base.root),
            *suit_warnings(self._info, kind_of(self.data)),
            *check_original(record, self._record_path, self.data, {**self.config, **self.retraining.overrides}),
            *consent_warnings(check_consent(self.cohort, self.data, record)),
        ]
        check_trained_pixels(Path(self.checkpoint), record, self.data)
        self.wanted = WantedReferences.read(self.reference, self.reference_seeds, record)
        if self.wanted.seeds:
            self.retraining = self.retraining.as_recorded(record, self._record_path)
        self.snapshots = snapshots_of(Path(self.checkpoint), record) if "snapshots" in self._info.needs else []
        load_weights(self.network, self.checkpoint)
        self.composed = read_parents(self.parents, self.network)
        self.base = replace(self.base, successors=tuple(one.version for one in self.composed))
        self.calibrating = self._calibrating(record)
        self._choose_basis(record)
        check_fits(self.network, data=self.data, subsets=self.subsets, device=self.device)
        ensembles.check_ensemble(self.trainer.method, self.network, self.base.root)
        self.trainer.classes = len(self.data.class_names)
        self.remain = RemainSample.draw(self.subsets[REMAIN_TRAIN], seed=self.seed)
        self.evaluated, self.sampled = self.remain.judged(self.subsets, self.judged_by)
        self._keep_to_budget(record)
        if self.estimate is not None:
            return self._estimated(Path(self.estimate), record)
        checkpoints = Checkpoints(checkpoint_folder(target), self._fingerprint())
        checkpoints.check()
        self._read_images()
        if not distributed.is_main_process():
            return self._share_updates(checkpoints)
        with exclusive_lock(checkpoints.folder):
            remove_unfinished(target)
            try:
                with staged(target) as folder:
                    evidence = self._revise(folder, checkpoints, warnings, record, began)
            finally:
                checkpoints.remove_if_empty()
            checkpoints.remove()
        distributed.wait()
        print_result(evidence, target)
        accepted = promotes(evidence["verdict"])
        if ledger is not None:
            record_run("unlearn", RunFolder(target).bundle(accepted=accepted), store=ledger[0], key=ledger[1])
        self.tracking.finished(evidence, target, step=self.trainer.state.iteration)
        if not accepted:
            raise NotAccepted(f"{why_not_accepted(evidence)}\nThe evidence is in {RunFolder(target).evidence}.")
        return evidence

    def _estimated(self, path: Path, record: Mapping[str, Any]) -> dict[str, Any]:
        """Write what the run would cost, and return it."""
        counts = {part: self.data.counts()[part]["train"] for part in ("forget", "remain")}
        found = estimate_of(
            self.trainer,
            counts=counts,
            planned=self.planned,
            retraining=retraining_cost(record, remain=counts["remain"]),
            retrained=len(self.wanted.seeds),
            seconds_a_gradient=seconds_a_gradient(self.network, self.subsets[REMAIN_TRAIN], device=self.device),
        )
        write_json(path, found)
        return found

    def _choose_basis(self, record: Mapping[str, Any]) -> None:
        """Read what the verdict may rest on beside references: a rehearsed protocol, a predicted target."""
        if self.protocol is not None and not self.config:
            raise ConfigError(
                "protocol: a run that was built in Python does not say what it was built from, so that nothing shows "
                "that it is the protocol's. Run the bundle's config: python -m monai.bundle run unlearn … --protocol "
                "FILE."
            )
        self.applied = applied_protocol(
            self.protocol,
            accept_bound=self.accept_bound,
            cohort=CohortFacts.of(self.data, reason=self.cohort.spec.reason.value),
            bundle=self.base,
            weights=weights_digest(self.network.state_dict()),
            decision=self.judged_by,
            method=self.trainer.method,
            config={**self.config, RECIPE: record.get("recipe")},
        )
        self.predicting = predicting(
            self.predictor,
            data=self.data,
            decision=self.judged_by,
            record=record,
            has_reference=bool(self.wanted),
            protocol=self.applied.protocol if self.applied else None,
        )

    def _revise(
        self, folder: Path, checkpoints: Checkpoints, warnings: list[str], record: Mapping[str, Any], began: float
    ) -> dict[str, Any]:
        """Do the whole run, in the main process, and write its results into a folder."""
        original = copy.deepcopy(self.network)
        references = load_references(
            self.wanted,
            like=original,
            data=self.data,
            record=record,
            retrained=lambda seed: retrain(self.retraining, RunFolder(folder), checkpoints, seed=seed),
        )
        proxies = self._proxies(original, record, checkpoints)
        distributed.wait()
        updates = self._updates(checkpoints, references)
        updates.run()
        started = time.perf_counter()
        as_trained = copy.deepcopy(self.network)
        if self.recalibrate:
            self.network.load_state_dict(self._as_delivered(self.network).state_dict())
        # The network as trained is given the same calibration, so that beside the revised one it still tells what
        # BatchNorm alone does.
        calibrating = self.calibrating
        self.calibration = calibrating.calibrate(self.network, original, also=[as_trained]) if calibrating else None
        check_finite(self.network)
        updates.seconds["updates"] += time.perf_counter() - started
        started, shared = time.perf_counter(), SharedPredictions(shared_folder())
        networks = self._networks(original, as_trained, references, shared)
        models = self._predict({**networks, **{proxy.name: proxy.network for proxy in proxies}}, shared)
        # What other runs computed counts as if this one had: it is what an image takes through a network.
        seconds_per_network = (time.perf_counter() - started + shared.seconds) / len(models)
        known = listed(models, original_seed=record.get("seed"), seed=self.seed, references=references, proxies=proxies)
        predictions = prediction_table(self.data, models, known, sampled=self.sampled)
        # A proxy stands in for others; what it classifies correctly says nothing of the bundle.
        shown = {name: models[name] for name in networks}
        evidence = assemble(self._facts(updates, references, proxies, warnings), shown, predictions)
        evidence["audits"], evidence["cost"]["audits"] = run_audits(
            self.audits,
            self._run_networks(networks, list(models[REVISED])),
            predictions,
            seed=self.seed,
            plots=RunFolder(folder).plots,
            allowed=allowance(time.perf_counter() - began + shared.seconds, self.audit_share),
            seconds_per_pass=seconds_per_network / max(1, len(predictions.frame)),
        )
        write_outputs(self._outcome(original, record, updates, evidence, predictions), folder)
        return evidence

    def _run_networks(self, networks: Mapping[str, nn.Module], order: Sequence[tuple[str, str]]) -> RunNetworks:
        """Return the networks as audits see them, with the subsets in the order of the table of predictions."""
        as_trained = REVISED + AS_TRAINED
        return RunNetworks(
            networks,
            [self.evaluated[subset] for subset in order],
            remain=self.remain.images,
            revised=as_trained if as_trained in networks else REVISED,
            device=self.device,
            seed=self.seed,
        )

    def _read_images(self) -> None:
        """Decode, before any clock runs, the remain images that the updates need: those that steps will draw.

        Where BatchNorm is recalibrated, the main process needs the sample too. What is in neither is never decoded,
        unless an endpoint is about all remain training images.
        """
        if self.recalibrate and has_running_statistics(self.network) and distributed.is_main_process():
            read_rows(self.remain.images)
        share = slice(distributed.rank(), None, distributed.world_size())
        self.trainer.loader.read_drawn(self.trainer.total_steps, share=share)

    def _share_updates(self, checkpoints: Checkpoints) -> dict[str, Any]:
        """Share search and steps with the main process, which alone evaluates and writes."""
        distributed.wait()
        self._updates(checkpoints, ()).run()
        distributed.wait()
        return {}

    def _keep_to_budget(self, record: Mapping[str, Any]) -> None:
        """Let the budget set the length of the run, where nothing else does; of a method without steps, check its cost.

        Raises:
            ConfigError: The cost of retraining is not known, or the budget does not pay for a step.
        """
        method, self.planned = self.trainer.method, None
        if self.budget is None or not (method.one_shot or self.trainer.takes_a_budget):
            return
        counts = {part: self.data.counts()[part]["train"] for part in ("forget", "remain")}
        retraining = retraining_cost(record, remain=counts["remain"])
        if retraining is None:
            if method.one_shot:
                return
            raise unknown_cost(Path(self.checkpoint))
        stopping = self._stopping(())
        references = len(self.wanted.files or self.wanted.seeds) if self.stop_rule.gap_to_reference is not None else 0
        self.planned = Budget(
            share=self.budget,
            retraining=retraining,
            preparation=method.gradients_to_prepare(**counts, validation=self._validation_images),
            fixed=FORWARD_PASS
            * (references * len(stopping.images) + self._delivery_images() + self._calibration_images),  # type: ignore[arg-type]  # no __len__
            step=0 if method.one_shot else method.gradients_a_step(**self.trainer.loader.batch_sizes),
            evaluation=FORWARD_PASS * stopping.images_an_evaluation(has_reference=references > 0),
            eval_interval=self.eval_interval,
        )
        if not method.one_shot:
            self.trainer.keep_to(self.planned)

    def _stopping(self, references: Sequence[Reference]) -> Stopping:
        """Return what evaluates the network on the way, not attached yet."""
        return Stopping(
            rule=self.stop_rule,
            subsets=self.subsets,
            network=self.network,
            device=self.device,
            references=[reference.network for reference in references],
            eval_interval=self.eval_interval,
            as_delivered=lambda network: self._as_delivered(network, max_images=EVAL_MAX_IMAGES),
            delivery_images=self._delivery_images(max_images=EVAL_MAX_IMAGES),
            evaluated=lambda step, measured: self.tracking.evaluated(step, measured, self.data.class_names),
        )

    def _updates(self, checkpoints: Checkpoints, references: Sequence[Reference]) -> Updates:
        """Return the part of the run that changes weights, not started yet."""
        return Updates(
            trainer=self.trainer,
            forget=self.subsets["forget", "train"],
            remain=self.subsets[REMAIN_TRAIN],
            validation={
                part: images
                for part in ("forget", "remain")
                if (images := self.subsets.get((part, "validation"))) is not None and len(images)  # type: ignore[arg-type]  # no __len__
            },
            snapshots=self.snapshots,
            remain_labels=[item["label"] for item in self.data.items(["remain"], "train")],
            parents=[one.state for one in self.composed],
            judge=self._judge(references),
            pixel_space=self.pixel_space,
            stopping=self._stopping(references),
            checkpoints=checkpoints,
            checkpoint_seconds=self.checkpoint_seconds,
            seed=self.seed,
        )

    def _judge(self, references: Sequence[Reference]) -> ValidationJudge | None:
        """Return what chooses the coefficient of a composition, in the main process; None where nothing can."""
        erases = self.judged_by.objective == "erase" or (not references and kind_of(self.data) == "class")
        if not (self.composed and (references or erases) and distributed.is_main_process()):
            return None
        return ValidationJudge(
            data=self.data,
            subsets=self.subsets,
            original=copy.deepcopy(self.network),
            references=references,
            erases=erases,
            remain=self.remain.images if self.recalibrate else None,
            device=self.device,
            seed=self.seed,
        )

    def _as_delivered(self, network: nn.Module, max_images: int | None = None) -> nn.Module:
        """Return the network as it would be delivered if the run ended now."""
        if not self.recalibrate:
            return network
        images = self.remain.images
        return as_delivered(network, images, device=self.device, seed=self.seed, max_images=max_images)

    @property
    def _calibration_images(self) -> int:
        return self.calibrating.forward_passes if self.calibrating else 0

    def _calibrating(self, record: Mapping[str, Any]) -> Calibrating | None:
        """Return what the run calibrates with, where it is asked to."""
        if not self.calibrate:
            return None
        return Calibrating.of_run(
            self.network,
            data=self.data,
            images=self.subsets.get(("remain", "validation")),
            checkpoint=Path(self.checkpoint),
            record=record,
            device=self.device,
        )

    @property
    def _validation_images(self) -> int:
        counts = self.data.counts()
        return sum(counts[part]["validation"] for part in ("forget", "remain"))

    def _delivery_images(self, max_images: int | None = None) -> int:
        """Return how many images `_as_delivered` passes through the network."""
        if not self.recalibrate:
            return 0
        return delivery_images(self.network, self.remain.images, max_images=max_images)

    def _proxies(self, original: nn.Module, record: Mapping[str, Any], checkpoints: Checkpoints) -> list[Proxy]:
        """Return what stands in for retrained networks, where a predictor is asked for."""
        first = int(record.get("seed") or 0) + 1
        workshop = ProxyWorkshop(
            original=original,
            data=self.data,
            remain=self.subsets["remain", "train"],
            retraining=self.retraining,
            checkpoint=Path(self.checkpoint),
            record=record,
            checkpoints=checkpoints,
            device=self.device,
            first_seed=first,
        )
        return self.predicting.proxies(workshop)

    def _networks(
        self, original: nn.Module, as_trained: nn.Module, references: Sequence[Reference], shared: SharedPredictions
    ) -> dict[str, nn.Module]:
        """Return every network by its name in the table of predictions, the controls of BatchNorm among them."""
        networks = with_controls(
            {ORIGINAL: original, REVISED: self.network},
            self.remain.images,
            device=self.device,
            seed=self.seed,
            shared=shared,
        )
        if self.recalibrate and has_running_statistics(as_trained):
            networks[REVISED + AS_TRAINED] = as_trained
        for number, reference in enumerate(references, 1):
            networks[reference_name(number)] = reference.network
        return networks

    def _predict(self, networks: Mapping[str, nn.Module], shared: SharedPredictions) -> dict[str, SubsetPredictions]:
        """Return the predictions of every network on every subset."""
        healthy = [self.judged_classes.index(name) for name in self.judged_by.healthy_classes]
        return predict_models(
            networks,
            self.evaluated,
            device=self.device,
            healthy=healthy,
            labels_of=len(self.data.labels),
            shared=shared,
        )

    def _fingerprint(self) -> dict[str, Any]:
        return fingerprint(
            self.trainer,
            data=self.data,
            references=self.wanted.files,
            config=self.config,
            choices={
                "stop": dict(self.stop or {}),
                "eval_interval": self.eval_interval,
                "budget": self.budget,
                "settings": settings_of(self.trainer.method),
                "seed": self.seed,
                "reference_seeds": list(self.wanted.seeds),
                "predictors": [asdict(one) for one in self.predicting.wanted],
            },
        )

    def _facts(
        self, updates: Updates, references: Sequence[Reference], proxies: Sequence[Proxy], warnings: list[str]
    ) -> RunFacts:
        return RunFacts(
            decision=self.judged_by,
            protocol=self.applied,
            targets=self.predicting.targets,
            counts=self.data.counts(),
            method=choice_of(self.trainer.method, by_protocol=self.applied is not None),
            cost=Cost(
                search=self.trainer.method.gradient_evaluations,
                updates=self.trainer.state.images_seen,
                seconds=updates.seconds,
                forward_passes={
                    "search": self.trainer.method.forward_passes,
                    "steps": self.trainer.state.images_passed,
                    "evaluations": updates.stopping.images_passed,
                    "recalibration": len(networks_in(self.network)) * self._delivery_images(),
                    **({"calibration": self._calibration_images} if self.calibrate else {}),
                },
                parents=self.composed,
                retraining=[reference.gradient_evaluations for reference in references],
                retraining_seconds=[reference.seconds for reference in references],
                proxies=proxies,
                budget=self.planned,
            ),
            references=references,
            samples={"_".join(subset): self.remain.document() for subset in self.sampled},
            warnings=[
                *warnings,
                *updates.notes,
                *head_of(self.network).notes(),
                *ensembles.notes(self.network),
                *note(self.data.labels),
                *([self.remain.note()] if self.sampled else []),
            ],
        )

    @property
    def _bundle_settings(self) -> dict[str, Any]:
        """What the run shares with training, with the names of the network's own outputs as its classes."""
        shared = dict(self.retraining.overrides)
        if "class_names" in shared:
            shared["class_names"] = output_names(self.data.names, self.network)
        return shared

    @property
    def _places(self) -> dict[str, str]:
        """Where the run found its input, for who repeats it; a config may say so relative to a folder."""
        named = {
            "bundle_root": self.base.root,
            "checkpoint": self.checkpoint,
            "index_dir": self.retraining.index_dir,
            "cohort_spec": self.cohort.spec.source,
        }
        return {name: str(Path(place).resolve()) for name, place in named.items()}

    def _weights_keys(self, original: nn.Module) -> tuple[str, ...]:
        """Return where the bundle's own loader looks for the weights: as in its own file, not in one of elsewhere."""
        own, used = self.base.root / WEIGHTS, Path(self.checkpoint)
        is_own = not own.is_file() or used.resolve().parent == own.resolve().parent
        return saved_keys(used if is_own else own, original)

    def _outcome(
        self,
        original: nn.Module,
        record: Mapping[str, Any],
        updates: Updates,
        evidence: Mapping[str, Any],
        predictions: PredictionTable,
    ) -> Outcome:
        return Outcome(
            base=self.base,
            base_digest=weights_digest(original.state_dict()),
            base_record=record,
            bundle_settings={
                **self._bundle_settings,
                "decision::healthy_classes": list(self.judged_by.healthy_classes),
            },
            data=self.data,
            keyfile=self.retraining.keyfile,
            cohort=self.cohort,
            split_rule=self.data.split_rule,
            pixels={image: seen.digest for image, seen in self.data.pixels.seen.items()},
            doubtful=check_consent(self.cohort, self.data, record),
            network=self.network,
            parents=[one.to_dict() for one in self.composed],
            places=self._places,
            weights_keys=self._weights_keys(original),
            method=self.trainer.method,
            recalibrated=self.recalibrate,
            seed=self.seed,
            config=self.config,
            device=self.device,
            steps=self.trainer.state.iteration,
            epochs=self.trainer.state.epoch,
            updates={
                **updates.record,
                "calibration": None if self.calibration is None else self.calibration.to_dict(),
            },
            evidence=evidence,
            predictions=predictions,
        )
