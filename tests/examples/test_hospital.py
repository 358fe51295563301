"""The unit and the container of `examples/hospital` start the command as it is, and stay closed."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer

from monai_unlearn.cli import app

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "hospital"


def settings(name, section):
    """The settings of a section, the last of each name."""
    text = (FOLDER / name).read_text(encoding="utf-8").replace("\\\n", " ")
    parser = configparser.ConfigParser(strict=False, interpolation=None, comment_prefixes="#", delimiters="=")
    parser.optionxform = str
    parser.read_string(text)
    return dict(parser[section])


def options(words):
    return {word for word in words if word.startswith("--")}


KNOWN = {name for one in typer.main.get_command(app).commands["watch"].params for name in one.opts}
NEEDED = {"--inbox", "--index", "--protocol", "--out", "--store", "--key"}


def test_both_use_options_that_there_are():
    unit = shlex.split(settings("monai-unlearn-watch.service", "Service")["ExecStart"])
    assert unit[1] == "watch"
    container = shlex.split(settings("monai-unlearn-watch.container", "Container")["Exec"])
    for words in (unit, container):
        assert NEEDED <= options(words) <= KNOWN
        assert options(words) & {"--owner", "--signed-by"}


def test_the_unit_is_hardened():
    found = settings("monai-unlearn-watch.service", "Service")
    assert found["User"] != "root"
    assert found["ProtectSystem"] == "strict"
    assert found["CapabilityBoundingSet"] == ""
    assert found["KillMode"] == "mixed"
    for name in ("NoNewPrivileges", "PrivateNetwork", "PrivateTmp", "PrivateDevices", "ProtectHome"):
        assert found[name] == "yes"
    assert found["RestrictAddressFamilies"] == "AF_UNIX"


def test_the_container_is_read_only_and_rootless():
    found = settings("monai-unlearn-watch.container", "Container")
    assert (found["ReadOnly"], found["NoNewPrivileges"], found["DropCapability"]) == ("true", "true", "all")
    assert (found["Network"], found["UserNS"].partition(":")[0]) == ("none", "keep-id")
    text = (FOLDER / "monai-unlearn-watch.container").read_text(encoding="utf-8")
    volumes = re.findall(r"^Volume=\S+:(\S+):(r[ow])$", text, re.MULTILINE)
    assert dict(volumes) == {"/inbox": "ro", "/data": "ro", "/state": "rw"}
    image = (FOLDER / "Containerfile").read_text(encoding="utf-8")
    assert re.search(r"^USER 1000:1000$", image, re.MULTILINE)
    assert re.search(r'^ENTRYPOINT \["monai-unlearn", "watch"\]$', image, re.MULTILINE)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_finds_little_that_is_exposed():
    words = ["systemd-analyze", "security", "--offline=true", str(FOLDER / "monai-unlearn-watch.service")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    if exposure is None:
        pytest.skip(f"systemd-analyze cannot tell here: {(done.stderr or done.stdout).strip()[-200:]}")
    assert float(exposure[1]) < 2.0
