"""Runs a revision: the steps that change weights, then the evidence, all written aside and renamed."""

from __future__ import annotations

import copy
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.cache_folder import shared_folder
from monai_unlearn.engine import distributed
from monai_unlearn.engine.audits import run_audits
from monai_unlearn.engine.checkpoint import Checkpoints, exclusive_lock
from monai_unlearn.engine.evidence import assemble, why_not_accepted
from monai_unlearn.engine.guards import check_finite
from monai_unlearn.engine.outputs import write_outputs
from monai_unlearn.engine.predicted import REVISED
from monai_unlearn.engine.reference import load_references, retrain
from monai_unlearn.engine.report import print_result
from monai_unlearn.engine.revision_input import RevisionInput
from monai_unlearn.engine.revision_networks import Revised, as_delivered, networks_of, predict, run_networks, table_of
from monai_unlearn.engine.revision_outcome import facts_of, outcome_of
from monai_unlearn.engine.revision_plan import estimated, keep_to_budget
from monai_unlearn.engine.revision_updates import checkpoints_of, proxies_of, read_images, updates_of
from monai_unlearn.engine.shared_predictions import SharedPredictions
from monai_unlearn.errors import NotAccepted
from monai_unlearn.evaluation.audits import allowance
from monai_unlearn.evaluation.decision import promotes
from monai_unlearn.release.record_run import record_run, site_ledger
from monai_unlearn.staging import remove_unfinished, staged, write_json
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from torch import nn

    from monai_unlearn.engine.revision_settings import RevisionSettings
    from monai_unlearn.engine.updating import Updates
    from monai_unlearn.evaluation import PredictionTable
    from monai_unlearn.methods.calibrate import Calibration


class RevisionRun:
    """One run of a revision, with its input read and found fit.

    Args:
        settings: The settings of the run; their network is given the original weights, and `run` revises it.

    Raises:
        UnlearnError: The input cannot be used.
    """

    def __init__(self, settings: RevisionSettings) -> None:
        self.settings, self.target = settings, Path(settings.output_dir)
        self.began, self.ledger = time.perf_counter(), site_ledger()
        self.known = RevisionInput(settings)
        self.planned = keep_to_budget(self.known)

    def run(self) -> dict[str, Any]:
        """Do it; return the content of `metrics.json`, or the estimate; nothing in a process that shares the steps.

        Raises:
            NotAccepted: The verdict does not promote the result.
            UnlearnError: Something went wrong earlier: nothing is written.
        """
        if self.settings.estimate is not None:
            found = estimated(self.known, self.planned)
            write_json(Path(self.settings.estimate), found)
            return found
        checkpoints = checkpoints_of(self.known)
        checkpoints.check()
        read_images(self.known)
        if not distributed.is_main_process():
            return self._share_updates(checkpoints)
        evidence = self._written(checkpoints)
        distributed.wait()
        self._announce(evidence)
        return evidence

    def _share_updates(self, checkpoints: Checkpoints) -> dict[str, Any]:
        """Share search and steps with the main process, which alone evaluates and writes."""
        distributed.wait()
        updates_of(self.known, checkpoints, ()).run()
        distributed.wait()
        return {}

    def _written(self, checkpoints: Checkpoints) -> dict[str, Any]:
        """Do the whole run, in the main process, and write its results: all of them, or nothing but checkpoints."""
        with exclusive_lock(checkpoints.folder):
            remove_unfinished(self.target)
            try:
                with staged(self.target) as folder:
                    revised = self._revised(checkpoints, RunFolder(folder))
                    evidence, predictions = self._measured(revised, plots=RunFolder(folder).plots)
                    write_outputs(outcome_of(self.known, revised, evidence, predictions), folder)
            finally:
                checkpoints.remove_if_empty()
            checkpoints.remove()
        return evidence

    def _announce(self, evidence: dict[str, Any]) -> None:
        """Say how the run ended: to who reads along, to the site's ledger, to what tracks it.

        Raises:
            NotAccepted: The verdict does not promote the result.
        """
        run = RunFolder(self.target)
        print_result(evidence, self.target)
        accepted = promotes(evidence["verdict"])
        if self.ledger is not None:
            store, key = self.ledger
            record_run("unlearn", run.bundle(accepted=accepted), store=store, key=key)
        self.settings.tracking.finished(evidence, self.target, step=self.settings.trainer.state.iteration)
        if not accepted:
            raise NotAccepted(f"{why_not_accepted(evidence)}\nThe evidence is in {run.evidence}.")

    def _revised(self, checkpoints: Checkpoints, run: RunFolder) -> Revised:
        """Revise the network, and make or load what it is compared with."""
        original = copy.deepcopy(self.settings.network)
        references = load_references(
            self.known.wanted,
            like=original,
            data=self.settings.data,
            record=self.known.record,
            retrained=lambda seed: retrain(self.known.retraining, run, checkpoints, seed=seed),
        )
        proxies = proxies_of(self.known, original, checkpoints)
        distributed.wait()
        updates = updates_of(self.known, checkpoints, references)
        updates.run()
        as_trained, calibration = self._finished(updates, original)
        return Revised(
            original=original,
            as_trained=as_trained,
            references=references,
            proxies=proxies,
            updates=updates,
            calibration=calibration,
        )

    def _finished(self, updates: Updates, original: nn.Module) -> tuple[nn.Module, Calibration | None]:
        """Recalibrate and calibrate the network after its last step; return it as trained, and the calibration."""
        # An ensemble takes the place of the network that the steps began with.
        started, network = time.perf_counter(), self.settings.network
        as_trained = copy.deepcopy(network)
        if self.settings.recalibrate:
            network.load_state_dict(as_delivered(self.known, network).state_dict())
        # The network as trained is given the same calibration, so that beside the revised one it still tells what
        # BatchNorm alone does.
        calibrating = self.known.calibrating
        calibration = calibrating.calibrate(network, original, also=[as_trained]) if calibrating else None
        check_finite(network)
        updates.seconds["updates"] += time.perf_counter() - started
        return as_trained, calibration

    def _measured(self, revised: Revised, *, plots: Path) -> tuple[dict[str, Any], PredictionTable]:
        """Return the evidence, and the predictions that it follows from."""
        settings = self.settings
        started, shared = time.perf_counter(), SharedPredictions(shared_folder())
        networks = networks_of(self.known, revised, shared)
        models = predict(self.known, {**networks, **{proxy.name: proxy.network for proxy in revised.proxies}}, shared)
        # What other runs computed counts as if this one had: it is what an image takes through a network.
        seconds_per_network = (time.perf_counter() - started + shared.seconds) / len(models)
        predictions = table_of(self.known, revised, models)
        # A proxy stands in for others; what it classifies correctly says nothing of the bundle.
        shown = {name: models[name] for name in networks}
        evidence = assemble(facts_of(self.known, revised, self.planned), shown, predictions)
        evidence["audits"], evidence["cost"]["audits"] = run_audits(
            settings.audits,
            run_networks(self.known, networks, list(models[REVISED])),
            predictions,
            seed=settings.seed,
            plots=plots,
            allowed=allowance(time.perf_counter() - self.began + shared.seconds, settings.audit_share),
            seconds_per_pass=seconds_per_network / max(1, len(predictions.frame)),
        )
        return evidence, predictions
