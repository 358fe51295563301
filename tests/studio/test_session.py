from __future__ import annotations

from monai_unlearn.studio.session import Session, same


def test_secrets_are_long_differ_and_are_not_printed():
    session = Session()
    secrets = {session.token, session.cookie, session.form, Session().token, session.ticket()}
    assert len(secrets) == 5
    assert min(map(len, secrets)) >= 43
    assert not any(secret in repr(session) for secret in secrets)


def test_a_ticket_is_good_once():
    session = Session()
    ticket = session.ticket()
    assert session.use_ticket(ticket)
    assert not session.use_ticket(ticket)
    assert not session.use_ticket("")
    assert not session.use_ticket("made up")


def test_old_tickets_make_room():
    session = Session()
    first = session.ticket()
    for _ in range(600):
        last = session.ticket()
    assert not session.use_ticket(first)
    assert session.use_ticket(last)


def test_secrets_are_compared_whole():
    assert same("ä", "ä")
    assert not same(None, "a")
    assert not same("a", "ab")
