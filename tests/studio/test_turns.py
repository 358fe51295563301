from __future__ import annotations

from monai_unlearn.studio.turns import Turns


def test_a_later_request_of_the_same_page_outdates_the_one_before():
    turns = Turns()
    first, other = turns.take("a"), turns.take("b")
    assert first()
    second = turns.take("a")
    assert (first(), second(), other()) == (False, True, True)


def test_a_page_that_names_itself_not_is_never_outdated():
    turns = Turns()
    first = turns.take("")
    turns.take("")
    assert first()


def test_pages_that_are_forgotten_are_not_outdated():
    turns = Turns()
    first = turns.take("a")
    for number in range(1_500):
        turns.take(f"page {number}")
    assert first()
    assert len(turns._last) == 1_000
