from __future__ import annotations

import json
from dataclasses import replace

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.ledger.line import FIRST, Event, Line, parse

EVENT = Event(event="promote", who="ä", name="Some", version="1.0", digests={"weights": FIRST}, overridden=["a: b"])
LINE = Line(number=1, when="2026-11-26T14:00:00.000000+00:00", event=EVENT, previous=FIRST, torn=None, key=FIRST)


def test_a_line_goes_there_and_back():
    line = replace(LINE, hash=LINE.computed_hash(), signature="eA==")
    found = parse(line.text().encode())
    assert found.text() == line.text()
    assert found.computed_hash() == line.hash
    assert "\n" not in line.text()
    assert {"event", "who", "when", "digests", "verdict", "why", "previous"} <= set(line.to_dict())


def test_the_hash_covers_everything_but_itself_and_the_signature():
    base = LINE.computed_hash()
    assert replace(LINE, hash="x", signature="y").computed_hash() == base
    others = [replace(LINE, number=2), replace(LINE, when=""), replace(LINE, torn={}), replace(LINE, key="x")]
    others += [
        replace(LINE, event=replace(EVENT, **{name: "z"})) for name in ("who", "name", "version", "verdict", "why")
    ]
    assert len({base, *(one.computed_hash() for one in others)}) == 10


@pytest.mark.parametrize(
    "text",
    [b"", b"{}", b"[]", b"3", b"\xff", b"[" * 100_000, LINE.text().replace(":", ": ", 1).encode()]
    + [json.dumps({**LINE.to_dict(), **change}).encode() for change in ({"more": 1}, {"event": "x"}, {"number": "1"})],
)
def test_other_texts_are_no_lines(text):
    with pytest.raises(ValueError, match="no line of a ledger|not canonical"):
        parse(text)


def test_other_events_are_refused():
    with pytest.raises(ConfigError, match="expected one of train, unlearn, .*, start, finish, got 'delete'"):
        Event(event="delete", who="a", name="b", version="c")
