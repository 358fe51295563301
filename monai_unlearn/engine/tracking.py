"""What `--tracking mlflow` records of a revision, beside the loss of its steps.

MONAI adds its `MLFlowHandler` to the trainer, which logs the loss and closes the run when the last step is done. But
the results come after that. So the revision opens the run before its checks and closes it at its own end, whatever
that is; the handler logs into this run. In a run that others started (a rehearsal, a comparison, a sweep), it is nested
in theirs.

A revision does not depend on its record: once the run is open, whatever fails in MLflow, such as a server that is gone,
is said once, and the revision goes on without being recorded.
"""

from __future__ import annotations

import math
import os
import re
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ignite.engine import Events
from monai.handlers import MLFlowHandler
from monai.utils import path_to_sqlite_uri

from monai_unlearn.engine import distributed
from monai_unlearn.errors import ConfigError, NotAccepted
from monai_unlearn.result import figures
from monai_unlearn.terminal import say
from monai_unlearn.vocabulary.run_folder import PARENT_RUN, TRACKING_DATABASE, RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ignite.engine import Engine

_MAX_PARAMETER = 500
_PARENT_TAG = "mlflow.parentRunId"
# MLflow takes these in names of metrics, and no others.
_NOT_IN_NAMES = re.compile(r"[^\w\-. /]")
# Not figures, but numbers of classes.
_NUMBERS = ("classes", "paused_classes")
# How many figures one request takes.
_BATCH = 500
WARNING = (
    "Warning: MLflow failed with {}, so nothing more of this revision is recorded there. The revision goes on; its "
    "results are written as always."
)


def tracking_uri(output_dir: str | Path | None) -> str:
    """Return where `--tracking mlflow` writes unless the environment says otherwise: a database beside the results.

    Results come into a new folder, so it cannot be within; runs that write beside each other share it.

    Raises:
        ConfigError: There is no output folder.
    """
    if not output_dir:
        raise ConfigError("output_dir is not set. Give it on the command line: --output_dir DIR")
    uri: str = path_to_sqlite_uri(str(Path(output_dir).resolve().parent / TRACKING_DATABASE))
    return uri


@dataclass
class Tracking:
    """The run in which a revision is recorded, if any.

    Attributes:
        handler: MONAI's handler; None where nothing is tracked.
        failed: The kind of error with which MLflow failed; then nothing more is recorded.
    """

    handler: MLFlowHandler | None = None
    failed: str | None = None

    @classmethod
    def of(cls, trainer: Engine, handlers: Sequence[Any]) -> Tracking:
        """Return the tracking of a trainer by its handlers.

        They no longer close the run after the last step, nor end the trainer when they fail.
        """
        found = next((one for one in handlers if isinstance(one, MLFlowHandler)), None)
        if found is None or not distributed.is_main_process():
            return cls()
        if found.close_on_complete and trainer.has_event_handler(found.close, Events.COMPLETED):
            trainer.remove_event_handler(found.close, Events.COMPLETED)
        tracking = cls(found)
        tracking._guard(trainer, found)
        return tracking

    def _guard(self, trainer: Engine, handler: MLFlowHandler) -> None:
        """Let what a handler does in a trainer fail without harm."""
        for event, own, log in (
            (Events.STARTED, handler.start, handler.start),
            (Events.COMPLETED, handler.complete, lambda _trainer: handler.complete()),
        ):
            if trainer.has_event_handler(own, event):
                trainer.remove_event_handler(own, event)
                trainer.add_event_handler(event, self._guarded(log))
        # These may be attached under a filter of events, which would be lost; but what they call can be replaced.
        handler.iteration_logger = self._guarded(handler.iteration_logger or handler._default_iteration_log)  # noqa: SLF001 - the default has no public name
        handler.epoch_logger = self._guarded(handler.epoch_logger or handler._default_epoch_log)  # noqa: SLF001

    def _guarded(self, log: Callable[[Engine], object]) -> Callable[[Engine], None]:
        def guarded(trainer: Engine) -> None:
            self._record(lambda: log(trainer))

        return guarded

    def _record(self, record: Callable[[], object]) -> None:
        """Record something in the open run, unless MLflow failed before: each try at a dead server takes minutes."""
        if self.handler is not None and self.handler.cur_run is not None and self.failed is None:
            self._try(record)

    def _try(self, record: Callable[[], object]) -> None:
        try:
            # What it prints holds the address of the server, with what opens it.
            with redirect_stdout(StringIO()):
                record()
        except Exception as error:  # noqa: BLE001 - the client raises what its store does
            if self.failed is None:
                # The kind alone: a message may hold names of files, and what opens the store.
                say(WARNING.format(type(error).__name__), err=True)
            self.failed = type(error).__name__

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
            texts = {name: str(value)[:_MAX_PARAMETER] for name, value in parameters.items()}
            self._record(lambda: handler._log_params(texts))  # noqa: SLF001
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
            self._close(handler, status)

    def _close(self, handler: MLFlowHandler, status: str) -> None:
        """Close the run, even if MLflow failed before: it may be there again; and say in it that it is not complete."""
        run, failed = handler.cur_run, self.failed
        handler.cur_run = None

        def end() -> None:
            if failed is not None:
                handler.client.set_tag(run.info.run_id, "tracking_error", failed)
            handler.client.set_terminated(run.info.run_id, status)

        if run is not None:
            self._try(end)
        self._try(handler.close)

    def evaluated(self, step: int, measured: Mapping[str, Any], class_names: Sequence[str]) -> None:
        """Record what an evaluation on the way found.

        Args:
            step: After which step.
            measured: What `Stopping.measure` returned.
            class_names: The classes by number.
        """
        names = [class_names[number] for number in measured.get("classes", ())]
        found: dict[str, Any] = {}
        for key, value in measured.items():
            if isinstance(value, list) and len(value) == len(names) and key not in _NUMBERS:
                found |= {f"on_the_way/{key}/{name}": one for name, one in zip(names, value, strict=True)}
            elif isinstance(value, float):
                found[f"on_the_way/{key}"] = value
        self._log(found, step=step)

    def finished(self, evidence: Mapping[str, Any], folder: Path, *, step: int) -> None:
        """Record the verdict, every figure, and the files that name nobody: card, metrics, and manifest.

        Args:
            evidence: The content of `metrics.json`.
            folder: The results.
            step: The last step.
        """
        if self.handler is None or self.handler.cur_run is None:
            return
        client, run_id = self.handler.client, self.handler.cur_run.info.run_id
        self._log(dict(figures_of(evidence)), step=step)
        self._tag("verdict", evidence["verdict"])
        run = RunFolder(folder)
        for path in map(str, (run.card_page, run.metrics, run.manifest)):
            self._record(partial(client.log_artifact, run_id, path))

    def _log(self, figures: Mapping[str, Any], *, step: int) -> None:
        if self.handler is None or self.handler.cur_run is None:
            return
        log = self.handler._log_metrics  # noqa: SLF001 - the handler's own way into its run
        known = {
            _NOT_IN_NAMES.sub("_", name): float(value)
            for name, value in figures.items()
            if value is not None and math.isfinite(value)
        }
        names = sorted(known)
        for first in range(0, len(names), _BATCH):
            batch = {name: known[name] for name in names[first : first + _BATCH]}
            self._record(partial(log, batch, step=step))

    def _tag(self, name: str, value: str) -> None:
        if self.handler is not None and self.handler.cur_run is not None:
            self._record(partial(self.handler.client.set_tag, self.handler.cur_run.info.run_id, name, value))


def figures_of(evidence: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    """Yield every figure of `metrics.json` by a name: of each network on each subset, and each gap that was judged.

    `revised/forget_test/accuracy`, `revised/forget_test/accuracy/CLASS`, `gap/forget_test/mean_probability/CLASS`.
    """
    for one in figures(evidence["models"]):
        of_class = "" if one.class_name is None else f"/{one.class_name}"
        yield f"{one.network}/{one.part}_{one.split}/{one.metric}{of_class}", one.value
    for row in evidence["decision"]["endpoints"]:
        yield f"gap/{row['subset']}/{row['measure']}/{row['class']}", row["d"]
    yield "cost/gradient_evaluations", evidence["cost"]["this_run"]["gradient_evaluations"]
