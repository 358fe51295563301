"""Runs a revision: the steps that change weights, then the evidence, all written aside and renamed."""

from __future__ import annotations

import copy
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.cache_folder import shared_folder
from monai_unlearn.data.read_once import read_rows
from monai_unlearn.engine import distributed
from monai_unlearn.engine.audits import run_audits
from monai_unlearn.engine.budget import retraining_cost
from monai_unlearn.engine.checkpoint import Checkpoints, checkpoint_folder, exclusive_lock
from monai_unlearn.engine.chosen_method import settings_of
from monai_unlearn.engine.estimate import estimate_of, seconds_a_gradient
from monai_unlearn.engine.evidence import assemble, why_not_accepted
from monai_unlearn.engine.fingerprint import fingerprint
from monai_unlearn.engine.guards import check_finite
from monai_unlearn.engine.outputs import write_outputs
from monai_unlearn.engine.predicted import REVISED, listed, prediction_table
from monai_unlearn.engine.proxy_workshop import ProxyWorkshop
from monai_unlearn.engine.reference import Reference, load_references, retrain
from monai_unlearn.engine.remain_sample import REMAIN_TRAIN
from monai_unlearn.engine.report import print_result
from monai_unlearn.engine.revision_input import RevisionInput
from monai_unlearn.engine.revision_networks import networks_of, predict, run_networks
from monai_unlearn.engine.revision_outcome import facts_of, outcome_of
from monai_unlearn.engine.shared_predictions import SharedPredictions
from monai_unlearn.engine.updating import Updates
from monai_unlearn.engine.validation_judge import ValidationJudge
from monai_unlearn.errors import NotAccepted
from monai_unlearn.evaluation import has_running_statistics
from monai_unlearn.evaluation.audits import allowance
from monai_unlearn.evaluation.decision import promotes
from monai_unlearn.methods.cohort_kind import kind_of
from monai_unlearn.release.record_run import record_run, site_ledger
from monai_unlearn.staging import remove_unfinished, staged, write_json
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from monai_unlearn.engine.revision import Revision
    from monai_unlearn.evaluation.predictors import Proxy


class RevisionRun:
    """One run of a revision.

    Args:
        given: The revision.

    Raises:
        UnlearnError: The input cannot be used.
    """

    def __init__(self, given: Revision) -> None:
        self.given, self.began, self.ledger = given, time.perf_counter(), site_ledger()
        self.input = RevisionInput(given)

    def run(self) -> dict[str, Any]:
        """Do it; return the content of `metrics.json`, nothing in a process that only shares the work."""
        target = Path(self.given.output_dir)
        if self.given.estimate is not None:
            return self._estimated(Path(self.given.estimate))
        checkpoints = Checkpoints(checkpoint_folder(target), self._fingerprint())
        checkpoints.check()
        self._read_images()
        if not distributed.is_main_process():
            return self._share_updates(checkpoints)
        with exclusive_lock(checkpoints.folder):
            remove_unfinished(target)
            try:
                with staged(target) as folder:
                    evidence = self._revise(folder, checkpoints)
            finally:
                checkpoints.remove_if_empty()
            checkpoints.remove()
        distributed.wait()
        print_result(evidence, target)
        accepted = promotes(evidence["verdict"])
        if self.ledger is not None:
            store, key = self.ledger
            record_run("unlearn", RunFolder(target).bundle(accepted=accepted), store=store, key=key)
        self.given.tracking.finished(evidence, target, step=self.given.trainer.state.iteration)
        if not accepted:
            raise NotAccepted(f"{why_not_accepted(evidence)}\nThe evidence is in {RunFolder(target).evidence}.")
        return evidence

    def _estimated(self, path: Path) -> dict[str, Any]:
        """Write what the run would cost, and return it."""
        counts = {part: self.given.data.counts()[part]["train"] for part in ("forget", "remain")}
        found = estimate_of(
            self.given.trainer,
            counts=counts,
            planned=self.input.planned,
            retraining=retraining_cost(self.input.record, remain=counts["remain"]),
            retrained=len(self.input.wanted.seeds),
            seconds_a_gradient=seconds_a_gradient(
                self.given.network, self.given.subsets[REMAIN_TRAIN], device=self.given.device
            ),
        )
        write_json(path, found)
        return found

    def _share_updates(self, checkpoints: Checkpoints) -> dict[str, Any]:
        """Share search and steps with the main process, which alone evaluates and writes."""
        distributed.wait()
        self._updates(checkpoints, ()).run()
        distributed.wait()
        return {}

    def _revise(self, folder: Path, checkpoints: Checkpoints) -> dict[str, Any]:
        """Do the whole run, in the main process, and write its results into a folder."""
        record, original = self.input.record, copy.deepcopy(self.given.network)
        references = load_references(
            self.input.wanted,
            like=original,
            data=self.given.data,
            record=record,
            retrained=lambda seed: retrain(self.input.retraining, RunFolder(folder), checkpoints, seed=seed),
        )
        proxies = self._proxies(original, checkpoints)
        distributed.wait()
        updates = self._updates(checkpoints, references)
        updates.run()
        started = time.perf_counter()
        as_trained = copy.deepcopy(self.given.network)
        if self.given.recalibrate:
            self.given.network.load_state_dict(self.input.as_delivered(self.given.network).state_dict())
        # The network as trained is given the same calibration, so that beside the revised one it still tells what
        # BatchNorm alone does.
        calibrating = self.input.calibrating
        calibration = calibrating.calibrate(self.given.network, original, also=[as_trained]) if calibrating else None
        check_finite(self.given.network)
        updates.seconds["updates"] += time.perf_counter() - started
        started, shared = time.perf_counter(), SharedPredictions(shared_folder())
        networks = networks_of(self.input, original, as_trained, references, shared)
        models = predict(self.input, {**networks, **{proxy.name: proxy.network for proxy in proxies}}, shared)
        # What other runs computed counts as if this one had: it is what an image takes through a network.
        seconds_per_network = (time.perf_counter() - started + shared.seconds) / len(models)
        known = listed(
            models, original_seed=record.get("seed"), seed=self.given.seed, references=references, proxies=proxies
        )
        predictions = prediction_table(self.given.data, models, known, sampled=self.input.sampled)
        # A proxy stands in for others; what it classifies correctly says nothing of the bundle.
        shown = {name: models[name] for name in networks}
        evidence = assemble(facts_of(self.input, updates, references, proxies), shown, predictions)
        evidence["audits"], evidence["cost"]["audits"] = run_audits(
            self.given.audits,
            run_networks(self.input, networks, list(models[REVISED])),
            predictions,
            seed=self.given.seed,
            plots=RunFolder(folder).plots,
            allowed=allowance(time.perf_counter() - self.began + shared.seconds, self.given.audit_share),
            seconds_per_pass=seconds_per_network / max(1, len(predictions.frame)),
        )
        write_outputs(outcome_of(self.input, original, updates, calibration, evidence, predictions), folder)
        return evidence

    def _read_images(self) -> None:
        """Decode, before any clock runs, the remain images that the updates need: those that steps will draw.

        Where BatchNorm is recalibrated, the main process needs the sample too. What is in neither is never decoded,
        unless an endpoint is about all remain training images.
        """
        if self.given.recalibrate and has_running_statistics(self.given.network) and distributed.is_main_process():
            read_rows(self.input.remain.images)
        share = slice(distributed.rank(), None, distributed.world_size())
        self.given.trainer.loader.read_drawn(self.given.trainer.total_steps, share=share)

    def _updates(self, checkpoints: Checkpoints, references: Sequence[Reference]) -> Updates:
        """Return the part of the run that changes weights, not started yet."""
        return Updates(
            trainer=self.given.trainer,
            forget=self.given.subsets["forget", "train"],
            remain=self.given.subsets[REMAIN_TRAIN],
            validation={
                part: images
                for part in ("forget", "remain")
                if (images := self.given.subsets.get((part, "validation"))) is not None and len(images)  # type: ignore[arg-type]  # no __len__
            },
            snapshots=self.input.snapshots,
            remain_labels=[item["label"] for item in self.given.data.items(["remain"], "train")],
            parents=[one.state for one in self.input.composed],
            judge=self._judge(references),
            pixel_space=self.given.pixel_space,
            stopping=self.input.stopping(references),
            checkpoints=checkpoints,
            checkpoint_seconds=self.given.checkpoint_seconds,
            seed=self.given.seed,
        )

    def _judge(self, references: Sequence[Reference]) -> ValidationJudge | None:
        """Return what chooses the coefficient of a composition, in the main process; None where nothing can."""
        erases = self.given.judged_by.objective == "erase" or (not references and kind_of(self.given.data) == "class")
        if not (self.input.composed and (references or erases) and distributed.is_main_process()):
            return None
        return ValidationJudge(
            data=self.given.data,
            subsets=self.given.subsets,
            original=copy.deepcopy(self.given.network),
            references=references,
            erases=erases,
            remain=self.input.remain.images if self.given.recalibrate else None,
            device=self.given.device,
            seed=self.given.seed,
        )

    def _proxies(self, original: nn.Module, checkpoints: Checkpoints) -> list[Proxy]:
        """Return what stands in for retrained networks, where a predictor is asked for."""
        record = self.input.record
        first = int(record.get("seed") or 0) + 1
        workshop = ProxyWorkshop(
            original=original,
            data=self.given.data,
            remain=self.given.subsets["remain", "train"],
            retraining=self.input.retraining,
            checkpoint=Path(self.given.checkpoint),
            record=record,
            checkpoints=checkpoints,
            device=self.given.device,
            first_seed=first,
        )
        return self.input.predicting.proxies(workshop)

    def _fingerprint(self) -> dict[str, Any]:
        return fingerprint(
            self.given.trainer,
            data=self.given.data,
            references=self.input.wanted.files,
            config=self.given.config,
            choices={
                "stop": dict(self.given.stop or {}),
                "eval_interval": self.given.eval_interval,
                "budget": self.given.budget,
                "settings": settings_of(self.given.trainer.method),
                "seed": self.given.seed,
                "reference_seeds": list(self.input.wanted.seeds),
                "predictors": [asdict(one) for one in self.input.predicting.wanted],
            },
        )
