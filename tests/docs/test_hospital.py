"""The files of `examples/hospital` fit each other."""

from __future__ import annotations

from pathlib import Path

HOSPITAL = Path(__file__).resolve().parents[2] / "examples" / "hospital"


def test_the_user_of_the_image_can_read_the_secret():
    image = (HOSPITAL / "Containerfile").read_text(encoding="utf-8").splitlines()
    (user,) = (line.removeprefix("USER ") for line in image if line.startswith("USER "))
    uid, _, gid = user.partition(":")
    container = (HOSPITAL / "monai-unlearn-watch.container").read_text(encoding="utf-8").splitlines()
    (secret,) = (line.removeprefix("Secret=") for line in container if line.startswith("Secret="))
    options = dict(option.partition("=")[::2] for option in secret.split(",")[1:])
    # Podman: a secret that is mounted belongs to root unless uid and gid are given.
    assert (options["uid"], options["gid"], options["mode"]) == (uid, gid, "0400")
    assert f"UserNS=keep-id:uid={uid},gid={gid}" in container
