from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import ledger_appends
import pytest
from release_example import write_keys

from monai_unlearn.errors import InputError
from monai_unlearn.release.ledger import Event, Head, Ledger, LedgerKey, check
from monai_unlearn.release.ledger.line import FIRST

PROGRAM = Path(ledger_appends.__file__)
EVENT = Event(event="train", who="me", name="Some", version="1.0")


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return write_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def key(keys):
    return LedgerKey.read(keys[0])


def checked(ledger, keys):
    return check(ledger, keys=[LedgerKey.read_public(keys[1])], heads={"head": Head.read(ledger.head_path)})


def test_lines_are_chained_and_the_head_follows(tmp_path, key, keys):
    ledger = Ledger(tmp_path / "store")
    assert ledger.head() == Head(0, FIRST, FIRST)
    first, second = ledger.append(EVENT, key), ledger.append(EVENT, key)
    assert (first.number, first.previous, second.number, second.previous) == (1, FIRST, 2, first.hash)
    assert ledger.lines()[1].text() == second.text()
    assert ledger.head() == Head.read(ledger.head_path) == Head(2, second.hash, first.hash)
    assert checked(ledger, keys) == ([], [])


def start(folder, key, who, number):
    words = [sys.executable, str(PROGRAM), str(folder), str(key), who, str(number)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_two_processes_lose_nothing(tmp_path, keys):
    processes = [start(tmp_path, keys[0], who, 500) for who in ("a", "b")]
    said = [process.communicate(timeout=300)[0].splitlines() for process in processes]
    assert [len(lines) for lines in said] == [500, 500]
    ledger = Ledger(tmp_path)
    lines = ledger.lines()
    numbers, hashes = zip(*(one.split() for who in said for one in who), strict=True)
    assert sorted(map(int, numbers)) == list(range(1, 1001))
    assert {line.hash for line in lines} == set(hashes)
    assert [line.event.version for line in lines if line.event.who == "a"] == [f"0.{count}.0" for count in range(500)]
    assert checked(ledger, keys) == ([], [])


def test_a_killed_process_loses_nothing_that_it_said(tmp_path, keys):
    chosen, said = random.Random(0), []  # noqa: S311 - no secret
    for _ in range(6):
        process = start(tmp_path, keys[0], "a", 100_000)
        said += [process.stdout.readline().split()[1] for _ in range(chosen.randrange(1, 30))]
        os.kill(process.pid, signal.SIGKILL)
        said += [line.split()[1] for line in process.communicate()[0].splitlines() if len(line.split()) == 2]
    ledger = Ledger(tmp_path)
    faults, _ = checked(ledger, keys)
    assert not faults
    assert set(said) <= {line.hash for line in ledger.lines() if line.hash}


def test_a_torn_line_is_recognised_wherever_it_broke_off(tmp_path, key, keys):
    ledger = Ledger(tmp_path)
    ledger.append(EVENT, key)
    head, whole = ledger.head_path.read_bytes(), ledger.path.read_bytes()
    ledger.append(EVENT, key)
    line = ledger.path.read_bytes()[len(whole) :]
    for cut in (*range(1, len(line), 50), len(line) - 1):
        ledger.path.write_bytes(whole + line[:cut])
        ledger.head_path.write_bytes(head)
        faults, (note,) = checked(ledger, keys)
        assert not faults
        assert f"After line 1 there are {cut} bytes of an unfinished line" in note
        assert len(ledger.lines()) == 1
        appended = ledger.append(EVENT, key)
        assert (appended.number, appended.torn["bytes"]) == (2, cut)
        assert checked(ledger, keys) == ([], [])


def test_a_line_without_its_head_is_taken_up(tmp_path, key, keys):
    ledger = Ledger(tmp_path)
    ledger.append(EVENT, key)
    head = ledger.head_path.read_bytes()
    ledger.append(EVENT, key)
    ledger.head_path.write_bytes(head)
    assert ledger.append(EVENT, key).number == 3
    assert checked(ledger, keys) == ([], [])


def test_a_first_line_without_its_head_is_taken_up(tmp_path, key, keys, monkeypatch):
    ledger, write = Ledger(tmp_path), Head.write
    with monkeypatch.context() as patched:
        patched.setattr(Head, "write", lambda head, path: write(head, path) if head.count == 0 else killed())
        with pytest.raises(SystemExit, match="killed"):
            ledger.append(EVENT, key)
    assert len(ledger.lines()) == 1
    assert ledger.append(EVENT, key).number == 2
    assert checked(ledger, keys) == ([], [])


def killed():
    raise SystemExit("killed")


def test_nothing_is_appended_where_a_tail_is_missing(tmp_path, key):
    ledger = Ledger(tmp_path)
    for _ in range(3):
        ledger.append(EVENT, key)
    content = ledger.path.read_bytes()
    for cut in (content[: content.index(b"\n") + 1], b"", content[:-1]):
        ledger.path.write_bytes(cut)
        with pytest.raises(InputError, match="expected at least 3 lines"):
            ledger.append(EVENT, key)
    ledger.path.write_bytes(content)
    ledger.head_path.unlink()
    with pytest.raises(InputError, match="ledger_head.json is missing, although the ledger has 3 lines"):
        ledger.append(EVENT, key)


def test_a_damaged_line_is_named(tmp_path, key):
    ledger = Ledger(tmp_path)
    ledger.append(EVENT, key)
    ledger.path.write_bytes(b"x" + ledger.path.read_bytes())
    for attempt in (ledger.lines, ledger.head, lambda: ledger.append(EVENT, key)):
        with pytest.raises(InputError, match="line 1: expected a line of a ledger"):
            attempt()
