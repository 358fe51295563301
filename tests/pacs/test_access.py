"""How a server is reached: secrets come from the environment or files, and never travel or show in plain sight."""

from __future__ import annotations

import pytest

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.access import CA, CERTIFICATE, KEY, PASSWORD, TOKEN, USER, Access


def test_secrets_come_from_the_environment_or_from_files(tmp_path):
    (tmp_path / "token").write_text("secret-token\n")
    for name in ("ca", "cert", "key"):
        (tmp_path / name).write_text("PEM")
    access = Access.of(
        "https://pacs/dicom-web/",
        environment={
            f"{TOKEN}_FILE": str(tmp_path / "token"),
            CA: str(tmp_path / "ca"),
            CERTIFICATE: str(tmp_path / "cert"),
            KEY: str(tmp_path / "key"),
        },
    )
    assert (access.url, access.token, access.server) == ("https://pacs/dicom-web", "secret-token", "pacs")
    assert (access.authorities, access.certificate) == (tmp_path / "ca", tmp_path / "cert")
    basic = Access.of("https://pacs", environment={USER: "me", PASSWORD: "hidden"})
    assert (basic.user, basic.password) == ("me", "hidden")


def test_no_secret_is_shown():
    shown = repr(Access(url="https://pacs", token="secret-token")) + repr(
        Access(url="https://pacs", user="the-user", password="hidden")
    )
    assert not any(secret in shown for secret in ("secret-token", "the-user", "hidden"))


@pytest.mark.parametrize(
    ("url", "environment", "message"),
    [
        ("https://me:secret@pacs/x", {}, "pacs: the address has a user or password in it"),
        ("pacs/dicom-web", {}, "expected the root of DICOMweb services"),
        ("ftp://pacs", {}, "got 'ftp' as its scheme"),
        ("https://pacs/?x=1", {}, "or a query"),
        ("http://pacs/x", {TOKEN: "secret"}, "would travel unencrypted"),
        ("https://pacs", {TOKEN: "secret", USER: "me", PASSWORD: "x"}, "Set one of them"),
        ("https://pacs", {USER: "me"}, "expected both or neither"),
        ("https://pacs", {CA: "/no/such/file"}, "there is none at /no/such/file"),
        ("https://pacs", {TOKEN: "secret", f"{TOKEN}_FILE": __file__}, "expected one of them"),
    ],
)
def test_what_cannot_be_used_is_refused_without_its_secret(url, environment, message):
    with pytest.raises(ArchiveError, match=message.replace("?", r"\?")) as error:
        Access.of(url, environment=environment)
    assert "secret" not in str(error.value)


def test_a_secret_may_travel_to_this_machine_and_a_file_must_be_text(tmp_path):
    assert Access.of("http://127.0.0.1:8042/x", environment={TOKEN: "secret"}).has_secret
    (tmp_path / "token").write_bytes(b"\xff\xfe")
    with pytest.raises(ArchiveError, match="cannot be read as text"):
        Access.of("https://pacs", environment={f"{TOKEN}_FILE": str(tmp_path / "token")})
