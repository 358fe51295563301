"""What all tests share."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("push", max_examples=200, deadline=None, derandomize=True)
settings.register_profile("nightly", max_examples=20_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "push"))

# Of a suite in the background, Ctrl-C is ignored, which every process that a test starts would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data; tests that need it are skipped without it."""
    folder = os.environ.get("MONAI_UNLEARN_DATA")
    if not folder:
        pytest.skip("MONAI_UNLEARN_DATA is not set: real data are not at hand")
    return Path(folder)


@pytest.fixture(scope="session")
def orthanc(tmp_path_factory):
    """A real Orthanc on loopback with an empty store of its own; tests that need it are skipped without it.

    Tests that change what it stores begin with `orthanc.clear()`.
    """
    from orthanc import MISSING, program, running_orthanc

    if program() is None:
        pytest.skip(MISSING)
    with running_orthanc(tmp_path_factory.mktemp("orthanc")) as server:
        yield server


@pytest.fixture(scope="session")
def dcmqrscp(tmp_path_factory):
    """DCMTK's archive on loopback, with an empty store; tests that need it are skipped without it."""
    from dcmqrscp import MISSING, program, running_dcmqrscp

    if program() is None:
        pytest.skip(MISSING)
    with running_dcmqrscp(tmp_path_factory.mktemp("dcmqrscp")) as server:
        yield server
