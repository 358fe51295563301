"""What `--tracking mlflow` records of a revision, beside the loss of its steps.

MONAI adds its `MLFlowHandler` to the trainer, which logs the loss and closes the run when the last step is done. But
the results come after that. So the revision opens the run before its checks and closes it at its own end, whatever
that is; the handler logs into this run. In a run that others started (a rehearsal, a comparison, a sweep), it is nested
in theirs.
"""

from __future__ import annotations

import math
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ignite.engine import Events
from monai.handlers import MLFlowHandler
from monai.utils import path_to_sqlite_uri

from monai_unlearn.engine import distributed
from monai_unlearn.errors import ConfigError, NotAccepted
from monai_unlearn.evaluation.layout import read_value
from monai_unlearn.evaluation.metrics import registered
from monai_unlearn.vocabulary.run_folder import PARENT_RUN, RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ignite.engine import Engine

_DATABASE = "mlruns.db"
_MAX_PARAMETER = 500
_PARENT_TAG = "mlflow.parentRunId"
# MLflow takes these in names of metrics, and no others.
_NOT_IN_NAMES = re.compile(r"[^\w\-. /]")
# Not figures, but numbers of classes.
_NUMBERS = ("classes", "paused_classes")
# How many figures one request takes.
_BATCH = 500


def tracking_uri(output_dir: str | Path | None) -> str:
    """Return where `--tracking mlflow` writes unless the environment says otherwise: a database beside the results.

    Results come into a new folder, so it cannot be within; runs that write beside each other share it.

    Raises:
        ConfigError: There is no output folder.
    """
    if not output_dir:
        raise ConfigError("output_dir is not set. Give it on the command line: --output_dir DIR")
    uri: str = path_to_sqlite_uri(str(Path(output_dir).resolve().parent / _DATABASE))
    return uri


@dataclass
class Tracking:
    """The run in which a revision is recorded, if any.

    Attributes:
        handler: MONAI's handler; None where nothing is tracked.
    """

    handler: MLFlowHandler | None = None

    @classmethod
    def of(cls, trainer: Engine, handlers: Sequence[Any]) -> Tracking:
        """Return the tracking of a trainer by its handlers, and keep them from closing the run after the last step."""
        found = next((one for one in handlers if isinstance(one, MLFlowHandler)), None)
        if found is None or not distributed.is_main_process():
            return cls()
        if found.close_on_complete and trainer.has_event_handler(found.close, Events.COMPLETED):
            trainer.remove_event_handler(found.close, Events.COMPLETED)
        return cls(found)

    @contextmanager
    def run(self, parameters: Mapping[str, Any]) -> Iterator[None]:
        """Open the run, record the parameters, and close it at the end of the block: finished, failed or killed.

        Args:
            parameters: Plain values, recorded as text.
        """
        if self.handler is None:
            yield
            return
        handler, status = self.handler, "FAILED"
        handler._set_experiment()  # noqa: SLF001 - `start` does it too, and then takes over any run that failed
        parent = os.environ.get(PARENT_RUN)
        handler.cur_run = handler.client.create_run(
            experiment_id=handler.experiment.experiment_id,
            run_name=handler.run_name,
            tags={_PARENT_TAG: parent} if parent else {},
        )
        try:
            handler._log_params({name: str(value)[:_MAX_PARAMETER] for name, value in parameters.items()})  # noqa: SLF001
            yield
            status = "FINISHED"
        except NotAccepted:
            status = "FINISHED"
            raise
        except KeyboardInterrupt:
            status = "KILLED"
            raise
        except Exception as error:
            # The kind alone: a message may name files.
            self._tag("error", type(error).__name__)
            raise
        finally:
            if handler.cur_run is not None:
                handler.client.set_terminated(handler.cur_run.info.run_id, status)
                handler.cur_run = None
            handler.close()

    def evaluated(self, step: int, measured: Mapping[str, Any], class_names: Sequence[str]) -> None:
        """Record what an evaluation on the way found.

        Args:
            step: After which step.
            measured: What `Stopping.measure` returned.
            class_names: The classes by number.
        """
        names = [class_names[number] for number in measured.get("classes", ())]
        figures: dict[str, Any] = {}
        for key, value in measured.items():
            if isinstance(value, list) and len(value) == len(names) and key not in _NUMBERS:
                figures |= {f"on_the_way/{key}/{name}": one for name, one in zip(names, value, strict=True)}
            elif isinstance(value, float):
                figures[f"on_the_way/{key}"] = value
        self._log(figures, step=step)

    def finished(self, evidence: Mapping[str, Any], folder: Path, *, step: int) -> None:
        """Record the verdict, every figure, and the files that name nobody: card, metrics, and manifest.

        Args:
            evidence: The content of `metrics.json`.
            folder: The results.
            step: The last step.
        """
        if self.handler is None or self.handler.cur_run is None:
            return
        self._log(dict(figures_of(evidence)), step=step)
        self._tag("verdict", evidence["verdict"])
        run = RunFolder(folder)
        for path in (run.card_page, run.metrics, run.manifest):
            self.handler.client.log_artifact(self.handler.cur_run.info.run_id, str(path))

    def _log(self, figures: Mapping[str, Any], *, step: int) -> None:
        if self.handler is None or self.handler.cur_run is None:
            return
        known = {
            _NOT_IN_NAMES.sub("_", name): float(value)
            for name, value in figures.items()
            if value is not None and math.isfinite(value)
        }
        names = sorted(known)
        for first in range(0, len(names), _BATCH):
            batch = {name: known[name] for name in names[first : first + _BATCH]}
            self.handler._log_metrics(batch, step=step)  # noqa: SLF001 - the handler's own way into its run

    def _tag(self, name: str, value: str) -> None:
        if self.handler is not None and self.handler.cur_run is not None:
            self.handler.client.set_tag(self.handler.cur_run.info.run_id, name, value)


def figures_of(evidence: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    """Yield every figure of `metrics.json` by a name: of each network on each subset, and each gap that was judged.

    `revised/forget_test/accuracy`, `revised/forget_test/accuracy/CLASS`, `gap/forget_test/mean_probability/CLASS`.
    """
    for network, parts in evidence["models"].items():
        for part, splits in parts.items():
            for split, subset in splits.items():
                place = f"{network}/{part}_{split}"
                for metric in registered().values():
                    yield f"{place}/{metric.name}", read_value(metric, subset)["value"]
                    for name, one in subset["classes"].items():
                        yield f"{place}/{metric.name}/{name}", read_value(metric, one)["value"]
    for row in evidence["decision"]["endpoints"]:
        yield f"gap/{row['subset']}/{row['measure']}/{row['class']}", row["d"]
    yield "cost/gradient_evaluations", evidence["cost"]["this_run"]["gradient_evaluations"]
