from __future__ import annotations

import socket
import sys

import pytest

from monai_unlearn.engine.warm import LENGTH, main

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks processes with libraries in use")


def test_the_server_imports_what_it_is_told_and_ends_with_its_client(monkeypatch):
    """What its runs do is tested beside its client, tests/experiments/test_warm_runs.py."""
    set_to = []
    monkeypatch.setattr("signal.signal", lambda *pair: set_to.append(pair))
    ours, theirs = socket.socketpair()
    ours.close()
    sys.modules.pop("colorsys", None)
    main([str(theirs.detach()), "colorsys"])
    assert "colorsys" in sys.modules
    assert len(set_to) == 2


def test_a_request_cut_short_ends_the_server(monkeypatch):
    monkeypatch.setattr("signal.signal", lambda *_: None)
    ours, theirs = socket.socketpair()
    ours.sendall(LENGTH.pack(100) + b"{")
    ours.close()
    with pytest.raises(EOFError):
        main([str(theirs.detach())])
