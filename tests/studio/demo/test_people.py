from __future__ import annotations

import stat

import pytest
from demo_example import write_demo, write_run

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.check_store import report_of
from monai_unlearn.release.store import Store
from monai_unlearn.studio.demo import people
from monai_unlearn.studio.demo.people import ADA, GRACE, begin, check_installed, keys_of, person_of, public_keys


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return write_demo(tmp_path_factory.mktemp("people") / "demo")


def test_the_ledger_knows_what_happened_before(demo):
    lines = Store(demo.store).ledger.lines()
    assert [(line.event.event, line.event.who) for line in lines] == [("train", ADA.name), ("promote", GRACE.name)]
    assert Store(demo.store).deployed
    assert report_of(demo.store, public_keys=public_keys(demo), heads=[])["faults"] == []


def test_beginning_again_changes_nothing(demo):
    before = {path: path.read_bytes() for path in demo.root.rglob("*") if path.is_file()}
    begin(demo)
    assert {path: path.read_bytes() for path in demo.root.rglob("*") if path.is_file()} == before


def test_two_people_have_keys_of_their_own_that_nobody_else_reads(demo):
    assert ADA.key(demo).read_bytes() != GRACE.key(demo).read_bytes()
    for person in (ADA, GRACE):
        assert stat.S_IMODE(person.key(demo).stat().st_mode) == 0o600
    assert stat.S_IMODE(demo.keys.stat().st_mode) == 0o700


def test_who_prepares_is_not_who_approves(demo):
    assert {act: person_of(act) for act in ("unlearn", "sign", "promote", "reject", "rollback")} == {
        "unlearn": ADA,
        "sign": ADA,
        "promote": GRACE,
        "reject": GRACE,
        "rollback": GRACE,
    }
    assert keys_of(demo, "promote") == {"key": GRACE.key(demo), "public_key": ADA.public_key(demo)}


def test_a_missing_extra_is_named_before_anything_is_done(monkeypatch):
    check_installed()
    monkeypatch.setattr(people, "find_spec", lambda name: None if name == "model_signing" else 1)
    with pytest.raises(ConfigError, match=r"pip install 'monai-unlearn\[studio,sign\]'"):
        check_installed()


def test_a_run_is_signed_and_deployed_without_a_file(demo):
    from studio_client import Visitor

    from monai_unlearn.studio.demo.start import demo_settings
    from monai_unlearn.studio.settings import Settings

    write_run(demo)
    settings = demo_settings(Settings(demo=demo), demo)
    visitor = Visitor(**{name: getattr(settings, name) for name in ("index", "bundle", "store", "work", "demo")})
    for act, who in (("sign", ADA), ("promote", GRACE), ("rollback", GRACE)):
        page = visitor.get("/release?bundle=retire, accepted").text
        assert f'value="{who.name}"' in page
        assert "In this demo you need none" in page
        seen = page.partition('name="seen" value="')[2].partition('"')[0]
        form = {"who": who.name, "why": "as agreed", "bundle": "retire, accepted", "seen": seen}
        answer = visitor.act(f"/release/{act}", form)
        assert answer.status_code == 303, answer.text
    page = visitor.post("/release/check", {"bundle": "retire, accepted"}).text
    assert "no faults. Bundle (retire, accepted): no faults" in page
    assert [line.event.event for line in Store(demo.store).ledger.lines()][2:] == ["sign", "promote", "rollback"]
