"""One revision: from original weights to a revised bundle and its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monai_unlearn.engine.chosen_method import settings_of
from monai_unlearn.engine.config_values import build_from_config
from monai_unlearn.engine.host import executed_config
from monai_unlearn.engine.revision_run import RevisionRun
from monai_unlearn.engine.revision_settings import RevisionSettings
from monai_unlearn.version import __version__


class Revision(RevisionSettings):
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

    def run(self) -> dict[str, Any]:
        """Revise, measure, write and print; return the content of `metrics.json`.

        In a distributed run, the other processes share search and steps, and return nothing.

        Raises:
            NotAccepted: The verdict does not promote the result: everything is written, but the bundle is not promoted.
            UnlearnError: Something went wrong earlier: nothing is written.
        """
        if self.estimate is not None:  # no run, and none that is tracked
            return RevisionRun(self).run()
        with self.tracking.run(self._parameters()):
            return RevisionRun(self).run()

    def _parameters(self) -> dict[str, Any]:
        """Return what a tracked run is known by: digests, versions, and what decides how the network is revised."""
        said = self.config.get("method")
        settings = {**settings_of(self.trainer.method), **(said if isinstance(said, Mapping) else {})}
        return {
            "spec_digest": self.cohort.spec.digest,
            "index_digest": self.data.index_digest,
            "method": self.info.name,
            **{f"method.{name}": value for name, value in settings.items() if name not in ("_target_", "name")},
            "seed": self.seed,
            "budget": self.budget,
            "objective": self.judged_by.objective,
            "bundle": self.base.metadata.get("name"),
            "bundle_version": self.base.version,
            "tool_version": __version__,
        }
