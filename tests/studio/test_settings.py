from __future__ import annotations

import socket

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.studio.demo.folder import DemoFolder
from monai_unlearn.studio.settings import Settings


@pytest.fixture
def tls(tmp_path):
    files = tmp_path / "cert.pem", tmp_path / "key.pem"
    for file in files:
        file.write_text("x")
    return dict(zip(("tls_cert", "tls_key"), files, strict=True))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine_needs_no_tls(host):
    assert Settings(host=host).scheme == "http"


@pytest.mark.parametrize("host", ["::", "10.0.0.5", "studio.example", "127.0.0.1.example"])
def test_others_on_the_network_need_tls(host, tls):
    with pytest.raises(ConfigError, match="--tls-cert FILE and --tls-key FILE"):
        Settings(host=host)
    assert Settings(host=host, **tls).scheme == "https"


PUBLIC = "https://someone-studio.hf.space"


def test_a_demo_behind_a_proxy_is_known_by_its_public_address_alone(tmp_path):
    settings = Settings(host="::", demo=DemoFolder(tmp_path), behind_proxy=PUBLIC)
    assert settings.origins(7860) == [PUBLIC]


def test_folders_of_somebody_are_never_public():
    with pytest.raises(ConfigError, match="it is for the demo alone"):
        Settings(host="::", behind_proxy=PUBLIC)


@pytest.mark.parametrize(
    "origin",
    ["", "http://someone.hf.space", "https://someone.hf.space/", "https://a.b:1", "https://A.b", "https://x", "a.b\nc"],
)
def test_the_public_address_is_one(origin, tmp_path):
    with pytest.raises(ConfigError, match="expected the public address"):
        Settings(demo=DemoFolder(tmp_path), behind_proxy=origin)


def test_a_demo_without_a_proxy_is_open_on_this_machine_only(tmp_path, tls):
    with pytest.raises(ConfigError, match="--tls-cert FILE and --tls-key FILE"):
        Settings(host="::", demo=DemoFolder(tmp_path))
    with pytest.raises(ConfigError, match="the proxy ends TLS"):
        Settings(demo=DemoFolder(tmp_path), behind_proxy=PUBLIC, **tls)


def test_half_of_tls_and_missing_files_are_refused(tls, tmp_path):
    with pytest.raises(ConfigError, match="belong together"):
        Settings(tls_cert=tls["tls_cert"])
    with pytest.raises(ConfigError, match="expected a file in PEM, found none"):
        Settings(tls_cert=tls["tls_cert"], tls_key=tmp_path / "nothing.pem")


def test_origins_begin_with_the_one_that_is_printed(tls):
    assert Settings().origins(8477)[0] == "http://127.0.0.1:8477"
    assert Settings(host="::1").origins(1)[0] == "http://[::1]:1"
    assert Settings(host="Studio.example", **tls).origins(443)[0] == "https://studio.example"
    assert Settings(host="::", **tls).origins(1)[0] == f"https://{socket.getfqdn().lower()}:1"
    assert all("example" not in origin for origin in Settings().origins(1))
