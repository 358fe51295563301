"""`--tracking mlflow` of a rehearsal, a comparison or a sweep: one run of MLflow, in which all bundle runs are nested.

The bundle runs are processes: they find the store and their parent in the environment; see `engine/tracking.py`.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError, check_choice
from monai_unlearn.terminal import json_text, say
from monai_unlearn.vocabulary.run_folder import PARENT_RUN, TRACKING_ARTIFACTS, TRACKING_DATABASE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

STORE = "MLFLOW_TRACKING_URI"
EXPERIMENT = "monai_unlearn"
_TAGS = ("chosen", "line", "best")


@contextmanager
def tracked(tracking: str | None, kind: str, out: Path) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Open a run for all bundle runs of the block, and close it at its end: finished, failed or killed.

    Args:
        tracking: `mlflow`, or None for nothing.
        kind: What goes on, the name of the run: `rehearse`, `compare` or `sweep`.
        out: Its folder. The store is a database beside it, unless `MLFLOW_TRACKING_URI` names another.

    Yields:
        A function that records the document of the experiment.

    Raises:
        ConfigError: It is not `mlflow`, or MLflow is not installed.
    """
    if tracking is None:
        yield lambda _document: None
        return
    check_choice(tracking, ("mlflow",), name="--tracking")
    client, experiment, uri = _opened(out)
    run = client.create_run(experiment, run_name=kind).info.run_id
    before = {name: os.environ.get(name) for name in (STORE, PARENT_RUN)}
    os.environ.update({STORE: uri, PARENT_RUN: run})
    status = "FAILED"
    try:
        yield lambda document: _kept(lambda: _record(client, run, kind, document))
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        _kept(lambda: client.set_terminated(run, status))


def _kept(record: Callable[[], object]) -> None:
    """Record something; where MLflow fails, say so: the experiment is done, and its results are written."""
    try:
        # What it prints holds the address of the server, with what opens it; and stdout is for one document.
        with redirect_stdout(StringIO()):
            record()
    except Exception as error:  # noqa: BLE001 - the client raises what its store does
        # The kind alone: a message may hold names of files, and what opens the store.
        say(f"Warning: MLflow failed with {type(error).__name__}; its record of this is not complete.", err=True)


def _opened(out: Path) -> tuple[Any, str, str]:
    """Return MLflow's client, the identifier of the experiment, and the address of the store."""
    try:
        from mlflow import MlflowClient
    except ImportError:
        raise ConfigError(
            "--tracking mlflow: MLflow is not installed. Run: pip install 'monai-unlearn[mlflow]'"
        ) from None
    folder = out.resolve().parent
    folder.mkdir(parents=True, exist_ok=True)
    given = os.environ.get(STORE)
    uri = given or f"sqlite:///{(folder / TRACKING_DATABASE).as_posix()}"
    client = MlflowClient(tracking_uri=uri)
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return client, str(found.experiment_id), uri
    place = None if given else (folder / TRACKING_ARTIFACTS).as_uri()
    return client, str(client.create_experiment(EXPERIMENT, artifact_location=place)), uri


def _record(client: Any, run: str, kind: str, document: Mapping[str, Any]) -> None:  # noqa: ANN401 - MLflow's client
    for name in _TAGS:
        if isinstance(document.get(name), (str, int, float)):
            client.set_tag(run, name, str(document[name]))
    client.log_text(run, json_text(document, default=str), f"{kind}.json")
