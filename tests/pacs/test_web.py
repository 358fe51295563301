"""Requests: whole answers, or an error that names server and request; secrets go to the server and nowhere else."""

from __future__ import annotations

import gzip
import logging
import shutil
import ssl
import subprocess

import pytest
from small_server import Reply, small_server

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.access import Access
from monai_unlearn.pacs.web import TooLongError, Web

ITEMS = b'[{"0020000D": {"vr": "UI", "Value": ["1.2"]}}]'


def get(client):
    return client.web.json("studies", name="GET studies")[0]


@pytest.mark.parametrize(
    "fault",
    [
        Reply(b"busy", 503),
        Reply(b"slowly", 429, {"Retry-After": "0"}),
        Reply(ITEMS, cut=True),
        Reply(ITEMS[:20]),
        Reply(b"<html>"),
        Reply(reset=True),
    ],
    ids=["503", "429", "cut", "truncated", "html", "reset"],
)
def test_a_fault_that_passes_is_asked_again(serve, fault):
    replies = [Reply(ITEMS), fault, fault]
    server, client = serve(lambda _: replies.pop())
    assert get(client) == [{"0020000D": {"vr": "UI", "Value": ["1.2"]}}]
    assert len(server.asked) == 3
    assert client.web.requests == 3
    assert client.web.received >= len(ITEMS)


@pytest.mark.parametrize(
    ("reply", "message", "requests"),
    [
        (Reply(b"", 503), r"GET studies was answered with 503, 3 times in a row\. Try again", 3),
        (Reply(ITEMS, cut=True), "answered only in part: the connection was cut", 3),
        (Reply(b"[{"), "JSON that is cut short", 3),
        (Reply(wait=1.0), "was not answered in time", 3),
        (Reply(b"", 401), r"refused with 401\. Set MONAI_UNLEARN_PACS_TOKEN_FILE", 1),
        (Reply(b"", 404), r"answered with 404\. Check the address", 1),
        (Reply(b"", 302, {"Location": "https://elsewhere/"}), r"answered with 302", 1),
    ],
    ids=["503", "cut", "truncated", "late", "401", "404", "redirect"],
)
def test_a_fault_that_stays_names_server_and_request(serve, reply, message, requests):
    server, client = serve(lambda _: reply, timeout=0.3)
    with pytest.raises(ArchiveError, match=message) as error:
        get(client)
    assert client.access.server in str(error.value)
    assert len(server.asked) == requests


def test_nobody_there():
    web = Web(Access(url="http://127.0.0.1:9", attempts=2, wait=0.001))
    with pytest.raises(ArchiveError, match=r"127\.0\.0\.1:9: GET studies found no server"):
        web.json("studies", name="GET studies")


def test_nothing_found_is_an_empty_list(serve):
    _, client = serve(lambda _: Reply(b"", 204))
    assert get(client) == []


@pytest.mark.parametrize(
    ("options", "header"),
    [({"token": "secret"}, "Bearer secret"), ({"user": "me", "password": "pw"}, "Basic bWU6cHc=")],
)
def test_secrets_are_sent_and_not_logged(serve, caplog, options, header):
    caplog.set_level(logging.DEBUG)
    server, client = serve(
        lambda asked: Reply(ITEMS if asked.headers.get("Authorization") == header else b"x"), **options
    )
    assert get(client)
    assert server.asked[0].headers["Authorization"] == header
    assert "secret" not in caplog.text
    assert "bWU6cHc" not in caplog.text


def test_no_proxy_is_asked_for_this_machine(serve, monkeypatch):
    proxy, _ = serve(lambda _: Reply(b"[]"))
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.delenv("no_proxy", raising=False)
    server, client = serve(lambda _: Reply(ITEMS), token="secret")
    assert get(client)
    assert (len(server.asked), proxy.asked) == (1, [])
    other = Web(Access(url="http://pacs.example", attempts=1))
    assert other.json("studies", name="GET studies")[0] == []
    other.close()
    assert len(proxy.asked) == 1


def test_posting(serve):
    server, client = serve(lambda _: Reply(b"{}", 409))
    assert client.web.post("studies", b"content", name="POST studies", kind="text/plain").status == 409
    assert (server.asked[0].content, server.asked[0].headers["Content-Type"]) == (b"content", "text/plain")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """An authority, a server's certificate for 127.0.0.1 and a client's, by OpenSSL."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*words):
        subprocess.run([shutil.which("openssl"), *map(str, words)], check=True, capture_output=True, cwd=folder)

    new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    openssl(*new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority")
    for name, more in (("server", ["-addext", "subjectAltName=IP:127.0.0.1"]), ("client", [])):
        openssl(
            *new, "-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", f"{name}.key", "-out", f"{name}.pem",
            "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:FALSE", *more,
        )  # fmt: skip
    return folder


def test_mutual_tls(certificates):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    context.load_verify_locations(certificates / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    own = {"certificate": certificates / "client.pem", "key": certificates / "client.key"}
    with small_server(lambda _: Reply(ITEMS), context=context) as server:

        def ask(**options):
            web = Web(Access(url=server.url, attempts=1, wait=0.001, timeout=5.0, **options))
            try:
                return web.json("studies", name="GET studies")[0]
            finally:
                web.close()

        assert ask(authorities=certificates / "ca.pem", **own)
        with pytest.raises(ArchiveError, match="certificate is not trusted"):
            ask(**own)
        with pytest.raises(ArchiveError, match="127"):  # without a certificate of ours
            ask(authorities=certificates / "ca.pem")


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_an_answer_without_end_is_not_read_to_its_end(serve, encoding):
    content = b"[" + b" " * (3 << 20) + b"]"
    content = gzip.compress(content) if encoding == "gzip" else content
    server, client = serve(lambda _: Reply(content, headers={"Content-Encoding": encoding}), most_json=1 << 20)
    with pytest.raises(TooLongError, match=r"127.*: GET studies was answered with more than 1 MB, and"):
        get(client)
    assert len(server.asked) == 1  # asked again, it would be as long


def test_files_may_be_longer_than_documents(serve):
    _, client = serve(lambda _: Reply(b"x" * (3 << 20)), most_json=1 << 20, most_content=4 << 20)
    file = client.web.content("file", name="GET file", accept="*/*", check=lambda _: None)
    assert len(file.content) == 3 << 20
    client.web.post("studies", b"", name="POST studies", kind="text/plain")
