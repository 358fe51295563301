"""Asking again: as often as allowed, with growing waits and jitter, and as long as the server wishes."""

from __future__ import annotations

import pytest
import tenacity

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.access import Access
from monai_unlearn.pacs.retry import PassingFault, patiently

ACCESS = Access(url="https://pacs:8443/x", attempts=4, wait=1.0)


@pytest.fixture
def waits(monkeypatch):
    found = []
    monkeypatch.setattr(tenacity.nap.time, "sleep", found.append)
    return found


def failing(times, **options):
    left = [PassingFault("was answered with 503", **options)] * times

    def ask():
        if left:
            raise left.pop()
        return "answer"

    return ask


def test_waits_grow_and_differ(waits):
    assert patiently(failing(3), ACCESS, request="GET studies") == "answer"
    first = list(waits)
    assert [low <= wait <= low + 1 for low, wait in zip((1, 2, 4), first, strict=True)] == [True] * 3
    patiently(failing(3), ACCESS, request="GET studies")
    assert waits[3:] != first


def test_the_server_may_ask_for_more_patience_but_not_for_any(waits):
    patiently(failing(1, wish=20.0), ACCESS, request="GET studies")
    patiently(failing(1, wish=100_000.0), ACCESS, request="GET studies")
    patiently(failing(1, wish=0.0), ACCESS, request="GET studies")
    assert waits[:2] == [20.0, 120.0]
    assert waits[2] >= 1


def test_the_last_failure_names_server_request_and_what_to_do(waits):
    with pytest.raises(ArchiveError, match=r"pacs:8443: GET studies was answered with 503, 4 times .* Try again"):
        patiently(failing(4), ACCESS, request="GET studies")
    assert len(waits) == 3


def test_other_errors_are_not_tried_again(waits):
    def ask():
        raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        patiently(ask, ACCESS, request="GET studies")
    assert waits == []
