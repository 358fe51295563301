from __future__ import annotations

import socket

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.studio import serve as module
from monai_unlearn.studio.serve import listen, serve
from monai_unlearn.studio.settings import Settings


def test_it_listens_on_this_machine_alone():
    with listen("127.0.0.1", 0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"--port {port}: cannot listen there"):
            listen("127.0.0.1", port)


def test_the_link_is_printed_and_requests_are_not_logged(tmp_path, monkeypatch, capsys):
    import uvicorn

    seen = []

    class Server:
        def __init__(self, config):
            seen.append(config)

        def run(self, sockets):
            seen.extend(sockets)

    monkeypatch.setattr(uvicorn, "Server", Server)
    serve(Settings(work=tmp_path / "work", port=0))
    config, listener = seen
    port = listener.getsockname()[1]
    listener.close()
    assert f"http://127.0.0.1:{port}/?token={config.app.state.studio.session.token}" in capsys.readouterr().out
    assert not config.access_log
    assert not config.proxy_headers


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "uvicorn", None)
    with pytest.raises(ConfigError, match=r"pip install 'monai-unlearn\[studio\]'"):
        module.serve(Settings(work=tmp_path / "work", port=0))
