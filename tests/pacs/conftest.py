"""Servers for the tests of this room."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from small_server import small_server

from monai_unlearn.pacs.access import Access
from monai_unlearn.pacs.dicomweb import DicomWeb


@pytest.fixture
def serve():
    """Run a small server, and return it with a client that hardly waits between attempts."""
    with ExitStack() as stack:

        def run(answer, **options):
            server = stack.enter_context(small_server(answer))
            options = {"attempts": 3, "wait": 0.001, "timeout": 5.0, **options}
            return server, stack.enter_context(DicomWeb(Access(url=server.url, **options)))

        yield run
