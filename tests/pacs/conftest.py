"""Servers for the tests of this room."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from orthanc import free_port
from pynetdicom import AE, DEFAULT_TRANSFER_SYNTAXES, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind
from small_server import small_server

from monai_unlearn.pacs.access import Access
from monai_unlearn.pacs.association import Peer
from monai_unlearn.pacs.dicomweb import DicomWeb
from monai_unlearn.pacs.dimse import Dimse


@pytest.fixture
def serve():
    """Run a small server, and return it with a client that hardly waits between attempts."""
    with ExitStack() as stack:

        def run(answer, **options):
            server = stack.enter_context(small_server(answer))
            options = {"attempts": 3, "wait": 0.001, "timeout": 5.0, **options}
            return server, stack.enter_context(DicomWeb(Access(url=server.url, **options)))

        yield run


@pytest.fixture
def dimse():
    """Run a server of pynetdicom's that answers by a function, and return a client of it."""
    servers = []

    def run(
        answer, *, contexts=(StudyRootQueryRetrieveInformationModelFind,), get=None, move=None, port=None, **options
    ):
        entity = AE(ae_title="PACS")
        for context in contexts:
            uid, *syntaxes = [context] if isinstance(context, str) else context
            entity.add_supported_context(uid, syntaxes or DEFAULT_TRANSFER_SYNTAXES, scu_role=True, scp_role=True)
        entity.require_called_aet = True
        own = free_port()
        further = [(evt.EVT_C_GET, get), (evt.EVT_C_MOVE, move)]
        handlers = [(evt.EVT_C_FIND, answer), *(one for one in further if one[1] is not None)]
        server = entity.start_server(("127.0.0.1", own), block=False, evt_handlers=handlers)
        client = Dimse(
            Peer(
                **{
                    "host": "127.0.0.1",
                    "port": own,
                    "aet": "ME",
                    "called": "PACS",
                    "attempts": 2,
                    "wait": 0.001,
                    **options,
                }
            ),
            move=port,
        )
        servers.append((server, client))
        return client

    yield run
    for server, client in servers:
        client.close()
        server.shutdown()
