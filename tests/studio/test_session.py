from __future__ import annotations

from monai_unlearn.studio.session import Session, same


def test_secrets_are_long_differ_and_are_not_printed():
    session = Session()
    secrets = {session.token, session.cookie, session.form, Session().token, session.ticket("/a")}
    assert len(secrets) == 5
    assert min(map(len, secrets)) >= 43
    assert not any(secret in repr(session) for secret in secrets)


def test_a_ticket_is_good_once():
    session = Session()
    ticket = session.ticket("/a")
    assert session.use_ticket(ticket, "/a")
    assert not session.use_ticket(ticket, "/a")
    assert not session.use_ticket("", "/a")
    assert not session.use_ticket("made up", "/a")


def test_a_ticket_is_good_for_one_act():
    session = Session()
    assert not session.use_ticket(session.ticket("/a"), "/b")


def test_old_tickets_make_room():
    session = Session()
    first = session.ticket("/a")
    for _ in range(600):
        last = session.ticket("/a")
    assert not session.use_ticket(first, "/a")
    assert session.use_ticket(last, "/a")


def test_secrets_are_compared_whole():
    assert same("ä", "ä")
    assert not same(None, "a")
    assert not same("a", "ab")
