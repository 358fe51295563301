from __future__ import annotations

from dataclasses import replace

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.watch.spool import Spool, new_request


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path)


def request(name="ab12"):
    return new_request(name, kind="withdrawals", file="who.txt", digest="sha256:0", trusted="owner")


def test_a_request_is_kept_and_read_again(spool):
    taken = spool.take(request(), lambda folder: (folder / "x").write_text("x") and [])
    assert spool.has("ab12")
    assert spool.read("ab12") == replace(taken, reasons=[], with_earlier=[])
    kept = spool.keep(replace(taken, state="done", attempts=2))
    assert [one.state for one in spool.all()] == ["done"]
    assert kept.is_open is False
    assert "who" not in str(kept.shown())


def test_a_request_that_cannot_be_written_says_why(spool):
    assert spool.take(request(), lambda _: ["no"]).reasons == ["no"]


def test_what_was_dropped_can_be_taken_again(spool):
    first = spool.take(request(), lambda _: [])
    spool.left("ab12").parent.mkdir()
    spool.left("ab12").write_text("{}")
    spool.drop("ab12")
    assert not spool.has("ab12")
    assert not spool.left("ab12").exists()
    (spool.folder("ab12")).mkdir()
    (spool.folder("ab12") / "rest").write_text("x")  # where it was killed while it was dropped
    assert spool.take(request(), lambda _: []).visit != first.visit


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema_version": 2, "state": "done"}'])
def test_a_damaged_state_is_not_guessed(spool, text):
    spool.take(request(), lambda _: [])
    (spool.folder("ab12") / "state.json").write_text(text)
    with pytest.raises(ConfigError, match="expected the state of a request as this service wrote it"):
        spool.all()
