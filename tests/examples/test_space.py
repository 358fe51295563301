"""The files of `examples/space` are what a Space needs, and start the demo as it is."""

from __future__ import annotations

import re
import socket
import stat
import subprocess
import sys
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
import typer
import yaml
from demo_example import write_demo

from monai_unlearn.cli import app
from monai_unlearn.safe_path import safe_environment

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "examples" / "space"
START = FOLDER / "start.sh"
HOST = "someone-studio.hf.space"


def instructions():
    """The instructions of the Dockerfile, as pairs of a word and the rest."""
    text = (FOLDER / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [tuple(line.split(" ", 1)) for line in lines]


def test_the_head_is_the_configuration_of_a_docker_space():
    _, head, text = (FOLDER / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    config = yaml.safe_load(head)
    assert (config["sdk"], config["license"]) == ("docker", "apache-2.0")
    assert config["app_port"] == 7860
    assert len(config["short_description"]) <= 60
    assert text.lstrip().startswith("# ")


def test_the_image_is_pinned_and_its_user_is_not_root():
    found = instructions()
    assert re.fullmatch(r"docker\.io/library/python:3\.1[0-3]-slim", dict(found)["FROM"])
    words = [word for word, _ in found]
    assert dict(found)["USER"] == "user"
    assert words.index("USER") < words.index("CMD")
    installs = [rest for word, rest in found if word == "RUN" and "pip install" in rest]
    for one in re.findall(r"pip install[^&]*", " ".join(installs)):
        assert "--constraint /source/constraints.txt" in one
    assert "https://download.pytorch.org/whl/cpu" in " ".join(installs)
    assert "[studio,sign]" in " ".join(installs)


def test_what_is_copied_is_there():
    for word, rest in instructions():
        if word == "COPY":
            *sources, target = rest.split()
            assert target.startswith("/")
            assert all((ROOT / source).exists() for source in sources)


def test_the_start_script_gives_options_that_there_are():
    known = {name for one in typer.main.get_command(app).commands["studio"].params for name in one.opts}
    given = set(re.findall(r"(?<= )--[a-z-]+", START.read_text(encoding="utf-8")))
    assert given == {"--demo", "--host", "--port", "--behind-proxy"}
    assert given <= known
    assert START.stat().st_mode & stat.S_IXUSR
    assert dict(instructions())["CMD"].endswith('start.sh"]')


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """The script as the container starts it, on a demo that is prepared; yields the port and the folder."""
    folder = tmp_path_factory.mktemp("space")
    demo, port = write_demo(folder / "demo"), free_port()
    program = folder / "bin" / "monai-unlearn"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m monai_unlearn "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    variables = {**safe_environment(), "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": ""}
    variables |= {"PATH": f"{program.parent}:/usr/bin:/bin", "SPACE_HOST": HOST, "PORT": str(port)}
    variables |= {"DEMO": str(demo.root)}
    with subprocess.Popen(["/bin/sh", str(START)], env=variables, cwd=folder) as process:
        try:
            wait_for(port, process)
            yield port, demo
        finally:
            process.terminate()
            process.wait(timeout=60)
            # Visitors leave nothing when the container stops.
            assert not (demo.root / "visitors").exists()


def wait_for(port, process):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(process.poll())


def ask(port, path, **headers):
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()


def test_it_answers_who_comes_through_the_proxy_and_nobody_else(started):
    port, demo = started
    status, headers, _ = ask(port, "/", Host=HOST)
    assert (status, headers["location"]) == (303, "/?asked=1")
    cookie = headers["set-cookie"].partition(";")[0]
    status, headers, _ = ask(port, "/", Host=HOST, Cookie=cookie)
    assert (status, headers["location"]) == (303, "/demo")
    status, headers, page = ask(port, "/demo", Host=HOST, Cookie=cookie)
    assert status == 200
    assert "A camera was retired" in page
    assert len(list((demo.root / "visitors").iterdir())) == 1
    assert ask(port, "/", Host=f"127.0.0.1:{port}")[0] == 421


def test_without_the_public_name_it_does_not_start(tmp_path):
    done = subprocess.run(
        ["/bin/sh", str(START)],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "SPACE_HOST" in done.stderr
