"""Runs a bundle's config within a program of its own, such as a notebook, and leaves the process as it was."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from monai.bundle import ConfigWorkflow
from monai.utils import misc

from monai_unlearn.engine.host import INTERRUPTED, HostedWorkflow, ours, root_of
from monai_unlearn.engine.own_modules import own_modules
from monai_unlearn.engine.random_state import random_state, set_random_state
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def run_hosted(
    configs: Sequence[Path], run_id: str, settings: Mapping[str, Any], *, tracking: str | None = None
) -> None:
    """Run an id of a bundle's configs as `python -m monai.bundle run` does, but raise its errors here.

    MONAI wraps what a component raises; what arrives here is the error of this package itself. Hooks, modules and their
    path, random generators and torch's switches are as before afterwards. The bundle's `logging.conf` is not used: the
    program has its own.

    Args:
        configs: The config files, in the order in which they are merged.
        run_id: The id to run.
        settings: Settings that replace those of the configs, by their ids; any that nothing uses is refused.
        tracking: What MONAI's option of this name takes.

    Raises:
        UnlearnError: The run refused its input, failed, or its verdict does not promote the result.
    """
    try:
        with _process_as_before(), own_modules(root_of(Path(configs[0]).parent)):
            files = [str(path) for path in configs]
            with _quiet(logging.getLogger(ConfigWorkflow.__module__)):
                workflow = HostedWorkflow(
                    config_file=files, run_id=run_id, logging_file=False, tracking=tracking, **settings
                )
            workflow.given = dict(settings)
            workflow.initialize()
            workflow.run()
            workflow.finalize()
    except KeyboardInterrupt:
        say(INTERRUPTED, err=True)
        raise
    except Exception as error:
        found = ours(error)
        if found is None:
            raise
        # Without what MONAI wraps around it: the message says what to do.
        raise found from None


@contextmanager
def _process_as_before() -> Iterator[None]:
    """Restore what a bundle run changes of its process."""
    hook, state, numpy_state = sys.excepthook, random_state(), np.random.get_state()  # noqa: NPY002 - what MONAI seeds
    cudnn, seed = torch.backends.cudnn, misc.get_seed()
    flags = cudnn.deterministic, cudnn.benchmark
    try:
        yield
    finally:
        sys.excepthook = hook
        set_random_state(state)
        misc._seed = seed  # noqa: SLF001 - MONAI's datasets seed by it; its setter seeds generators too
        np.random.set_state(numpy_state)  # noqa: NPY002
        cudnn.deterministic, cudnn.benchmark = flags


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Leave out what MONAI says of a log file that a program need not have."""
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
