"""Specs from an untrusted source: each is refused with one message, or does what it says, and reads nothing else.

What Python opens is watched here. DuckDB reads in C++, where no audit hook sees it: that its connection reads nothing
but the index is tested in tests/cohort/query/test_query.py. How long each spec takes is measured by
benchmarks/cohort_million_rows.py; here only a hang is a failure.
"""

from __future__ import annotations

import json
import os
import re
import signal
from contextlib import contextmanager
from pathlib import Path

import pytest
from cohort_index import HEAD, make_index
from hostile_specs import HARMLESS, HOSTILE, OUTSIDE, SECRET
from typer.testing import CliRunner
from watch import watched

from monai_unlearn.cli import app
from monai_unlearn.vocabulary.fields import Kind

RUNNER = CliRunner()
HANGS = 20  # seconds
# A message with 4,000 faults helps nobody.
MOST_OF_A_MESSAGE = 20_000

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="the system has no alarm to end a hang with")


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    devices = ["old", "new", *(case.device for case in HARMLESS if case.device)]
    columns = {"ManufacturerModelName": devices, "PatientAge": [60.0] * len(devices)}
    kinds = {"ManufacturerModelName": Kind.TEXT, "PatientAge": Kind.AGE}
    index = make_index(tmp_path_factory.mktemp("hostile") / "index", columns, kinds)
    # Run once unwatched, so that no module is imported or initialised in the middle of a case.
    spec = index.directory.parent / "spec.yaml"
    for predicate in ("device == old", "SliceThickness > 3 ml"):  # the second needs pint
        spec.write_text(f"{HEAD}forget: {predicate}\n", encoding="utf-8")
        for command in (["validate", str(spec)], ["preview", str(spec), "--index", str(index.directory)]):
            for options in ([], ["--json"]):
                RUNNER.invoke(app, ["cohort", *command, *options])
    return index


@contextmanager
def no_hang():
    def stop(signum, frame):
        raise TimeoutError(f"the spec took more than {HANGS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, HANGS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def names_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def run(spec: Path, *options: str, index=None):
    """Run a command on a spec, watched; without an index `validate`, else `preview`."""
    folder = spec.parent.parent
    before = names_below(folder)
    inside = [
        path
        for path in spec.parent.rglob("*")
        if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(spec.parent))
    ]
    allowed = inside if index is None else [*inside, index.directory / "index.json", *index.parts]
    command = ["validate", str(spec)] if index is None else ["preview", str(spec), "--index", str(index.directory)]
    with no_hang(), watched(allowed) as strays:
        result = RUNNER.invoke(app, ["cohort", *command, *options])
    assert not strays, "\n".join(strays)
    assert names_below(folder) == before
    return result


def said(message: str, folder: Path) -> str:
    """A message without what it quotes: the spec's path, and the author's lines with their carets."""
    lines = message.replace(str(folder), "").splitlines()
    return "\n".join(line for line in lines if not re.match(r" *\d* \| ", line))


def test_the_list_is_long_and_names_each_once():
    ids = [case.id for case in (*HOSTILE, *HARMLESS)]
    assert len(set(ids)) == len(ids)
    assert len(HOSTILE) >= 100
    assert {case.id.split("-")[0] for case in HOSTILE} >= {"tag", "anchor", "path", "pattern", "sql", "deep", "10"}


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.id)
def test_a_hostile_spec_is_refused(case, index, tmp_path):
    result = run(case.write(tmp_path), index=index if case.index else None)
    message = result.stderr
    assert result.exit_code == 2, result.exception or result.output[:500]
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert message.count("Error: ") == 1
    assert "Traceback" not in message
    assert re.search(case.says, said(message, tmp_path), re.IGNORECASE), message[:500]
    assert re.search(r"spec\.yaml:\d+", message) or not case.line, message[:500]
    assert len(message) < MOST_OF_A_MESSAGE
    # A terminal obeys control characters, and a message must not quote what it should not have read.
    assert message.replace("\n", "").isprintable()
    assert SECRET not in message
    assert "root:" not in message


@pytest.mark.parametrize("case", HARMLESS, ids=lambda case: case.id)
def test_a_harmless_spec_does_what_it_says(case, index, tmp_path):
    spec = case.write(tmp_path)
    assert run(spec).exit_code == 0
    result = run(spec, "--json", index=index)
    assert result.exit_code == 0, result.output[:500]
    assert json.loads(result.stdout)["images"]["forget"] == 1
    shown = run(spec, index=index)
    assert shown.exit_code == 0, shown.exception or shown.output[:500]


# The watch itself: it must see every kind of access.


@pytest.mark.parametrize(
    "stray",
    [
        lambda folder: (folder / OUTSIDE / "patients.txt").read_text(encoding="utf-8"),
        lambda folder: (folder / "specs" / "link.txt").read_text(encoding="utf-8"),
        lambda folder: (folder / "specs" / "spec.yaml").open("r+").close(),
        lambda folder: list((folder / OUTSIDE).iterdir()),
        lambda folder: (folder / "made").mkdir(),
    ],
    ids=["read", "link", "write", "list", "make"],
)
def test_the_watch_sees_what_strays(stray, tmp_path):
    spec = HOSTILE[0].write(tmp_path)
    (spec.parent / "link.txt").symlink_to(tmp_path / OUTSIDE / "patients.txt")
    with watched([spec]) as strays:
        spec.read_text(encoding="utf-8")
        assert strays == []
        stray(tmp_path)
    assert len(strays) == 1
